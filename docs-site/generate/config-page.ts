import type { ConfigRow } from '../../common/pure/config/shape.ts';
import { cell } from './schema-table.ts';

/** The table of one configuration: key, variable of the environment, type, default, meaning. */
export function configTable(rows: ConfigRow[], variable: (key: string) => string): string {
  const shown = rows.filter((row) => row.type !== 'section');
  const lines = shown.map((row) => {
    const fallback = row.default === undefined ? (row.required ? 'must be given' : '') : `\`${show(row.default)}\``;
    return `| \`${row.key}\` | \`${variable(row.key)}\` | ${cell(row.type)} | ${cell(fallback)} | ${cell(row.description)} |`;
  });
  return `{% raw %}\n\n| key | environment | type | default | meaning |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n\n{% endraw %}\n`;
}

const show = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
