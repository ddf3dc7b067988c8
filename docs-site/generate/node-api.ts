import type { Page } from './manager-api.ts';
import { cell, SCHEMA_HEAD, type Schema, schemaRows, words } from './schema-table.ts';

/** One row of the agent's table of routes, as the reference shows it. */
export interface NodeCall {
  method: string;
  path: string;
  purpose: string;
  /** JSON Schema of `data` in the envelope, where the route has one. */
  answer?: Schema;
}

/** The calls of the Node API as one page. */
export function nodeApiPage(calls: NodeCall[]): Page {
  const parts = calls.map((call) => {
    const rows = call.answer === undefined ? [] : schemaRows(call.answer);
    return [
      `## ${call.method} ${call.path}`,
      cell(call.purpose),
      call.answer === undefined ? '' : `\`data\` is ${words(call.answer)}.`,
      rows.length > 0 ? `${SCHEMA_HEAD}\n${rows.join('\n')}` : '',
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  });
  return { path: 'reference/nodeapi/_calls.md', text: `{% raw %}\n${parts.join('\n\n')}\n{% endraw %}\n` };
}
