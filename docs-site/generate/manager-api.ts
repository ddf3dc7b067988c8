import { aWords, cell, SCHEMA_HEAD, type Schema, schemaRows, words } from './schema-table.ts';
import { snippets } from './snippets.ts';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}
interface Media {
  schema?: Schema;
  example?: unknown;
}
interface Operation {
  summary: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, Media> };
  responses: Record<string, { description?: string; content?: Record<string, Media> }>;
  security?: unknown[];
}
export interface OpenApi {
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
}

export interface Page {
  /** Path below the site's source. */
  path: string;
  text: string;
}

// Jekyll wants a date in the name of a post; ours are sorted by their noun, so all have the same.
const DATE = '2026-01-01';
const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');

/** One post per call with Purpose, Usage, Return and Snippets, and the index of all. */
export function managerApiPages(document: OpenApi): Page[] {
  const calls = Object.entries(document.paths).flatMap(([address, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ address, method: method.toUpperCase(), operation })),
  );
  const posts = calls.map(({ address, method, operation }) => ({
    path: `reference/managerapi/_posts/${DATE}-${slug(`${method} ${address}`)}.md`,
    text: post(address, method, operation),
  }));
  const tags = [...new Set(calls.map(tagOf))];
  const tables = tags.map((tag) => {
    const rows = calls
      .filter((call) => tagOf(call) === tag)
      .map(({ address, method, operation }) => {
        const link = `{{ '/reference/managerapi/${slug(`${method} ${address}`)}/' | relative_url }}`;
        return `| \`${method}\` | [\`${address}\`](${link}) | ${cell(operation.summary)} |`;
      });
    return `## ${tag}\n\n| method | address | what |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return [...posts, { path: 'reference/managerapi/_calls.md', text: tables.join('\n') }];
}

const tagOf = (call: { operation: Operation }) => call.operation.tags?.[0] ?? 'other';

function post(address: string, method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((p) => {
    const must = p.required ? '' : ' (may be absent)';
    return `| \`${p.name}\` | ${p.in} | ${cell(words(p.schema ?? {}))}${must} | ${cell(p.description ?? p.schema?.description ?? '')} |`;
  });
  const body = Object.entries(operation.requestBody?.content ?? {})[0];
  const [status, success] = Object.entries(operation.responses).find(([code]) => /^2/.test(code)) ?? ['200', {}];
  const [mediaType, media] = Object.entries(success.content ?? {})[0] ?? ['', undefined];
  const data = media?.schema?.properties?.['data'];
  const answerRows = data === undefined ? [] : schemaRows(data);
  const { err: _err, data: _data, ...beside } = media?.schema?.properties ?? {};
  const besideRows = schemaRows({ type: 'object', properties: beside });
  const errors = Object.entries(operation.responses).filter(([code]) => !/^2/.test(code));
  const bodyRows = body?.[1].schema === undefined ? [] : schemaRows(body[1].schema);
  const parts = [
    `---\ntitle: ${JSON.stringify(operation.summary)}\nmethod: ${method}\naddress: ${JSON.stringify(address)}\nreference: Manager API\nindex: /reference/managerapi/\npermalink: /reference/managerapi/${slug(`${method} ${address}`)}/\n---\n{% raw %}`,
    `## Purpose\n\n${operation.description ?? operation.summary}`,
    `## Usage\n\n\`${method} ${address}\``,
    parameters.length > 0
      ? `| parameter | in | type | meaning |\n| --- | --- | --- | --- |\n${parameters.join('\n')}`
      : '',
    body === undefined
      ? ''
      : `The body is \`${body[0]}\`.\n\n${bodyRows.length > 0 ? `${SCHEMA_HEAD}\n${bodyRows.join('\n')}` : ''}`,
    `## Return\n\nStatus ${status}${mediaType === '' ? '' : `, \`${mediaType}\``}. ${data === undefined ? '' : `\`data\` is ${aWords(data)}.`}`,
    answerRows.length > 0 ? `${SCHEMA_HEAD}\n${answerRows.join('\n')}` : '',
    besideRows.length > 0 ? `Beside \`data\` in the envelope:\n\n${SCHEMA_HEAD}\n${besideRows.join('\n')}` : '',
    errors.length > 0
      ? `Errors: ${errors.map(([code, answer]) => `${code} (${cell(answer.description ?? '')})`).join(', ')}.`
      : '',
    `## Snippets\n\n${snippets(method, address, body?.[1].example)}`,
    '{% endraw %}',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
