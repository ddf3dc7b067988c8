import { z } from 'zod';
import type { NodeRoute } from '../../node-agent/serve/routes.ts';
import type { Page } from './manager-api.ts';
import { aWords, cell, SCHEMA_HEAD, type Schema, schemaRows } from './schema-table.ts';

/** The calls of the Node API as one page. */
export function nodeApiPage(calls: readonly NodeRoute[]): Page {
  const parts = calls.map((call) => {
    const answer = call.answer === null ? null : (z.toJSONSchema(call.answer, { unrepresentable: 'any' }) as Schema);
    const rows = answer === null ? [] : schemaRows(answer);
    const who = call.access === 'anyone' ? 'Open, before enrolment only.' : 'For the manager of this agent only.';
    return [
      `## ${call.method} ${call.path}`,
      `${cell(call.summary)}. ${cell(call.purpose)} ${who}`,
      answer === null ? '' : `Status ${call.status}; \`data\` is ${aWords(answer)}.`,
      rows.length > 0 ? `${SCHEMA_HEAD}\n${rows.join('\n')}` : '',
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  });
  return { path: 'reference/nodeapi/_calls.md', text: `{% raw %}\n${parts.join('\n\n')}\n{% endraw %}\n` };
}
