import { cell } from './schema-table.ts';

/** What each key of `conf/compute.json` means. The page cannot be made when the file has a key that is not here, or lacks one. */
const MEANINGS: Record<string, string> = {
  'limits.memoryBytes': 'Memory of one session, its files in memory included; there is no swap on top. Bytes.',
  'limits.processes': 'Processes and threads of one session.',
  'limits.cpus': 'Share of one CPU: 1 is one whole core, 0.5 half of one.',
  'limits.diskBytes':
    'All that a session can write: one file system in memory, for /tmp, its home and shared memory. Bytes.',
  'limits.outputBytes': 'What one cell may write; more is not kept, and it is said how much. Bytes.',
  'limits.cellMs': 'Longest time of one cell. Milliseconds.',
  'limits.idleMs': 'A session without a cell and without anybody who watches ends after this. Milliseconds.',
  'limits.lifeMs': 'Longest life of a session. Milliseconds.',
  'limits.sessions': 'Sessions of this host at one time.',
  pool: 'How many children of each kernel wait, forked and contained, for the next session.',
  kernels: 'Kernels that are loaded. `sage` is left out where SageMath is not installed.',
  uidBase: 'First of a million user ids; each session gets one of its own that no account has.',
  cgroupRoot:
    'Directory below which control groups are made: a v2 hierarchy, or one with `memory`, `cpu` and `pids` of v1 in it. `null`: found by itself.',
  cgroupName: 'Name of the directory that is made there.',
};

/** The table of the compute server's configuration out of the text of `conf/compute.json`. @throws Error on a key without words. */
export function computeTable(text: string): string {
  const { limits, ...rest } = JSON.parse(text) as { limits: Record<string, unknown> } & Record<string, unknown>;
  const found = new Map<string, unknown>([
    ...Object.entries(limits).map(([key, value]): [string, unknown] => [`limits.${key}`, value]),
    ...Object.entries(rest),
  ]);
  const odd = [...found.keys(), ...Object.keys(MEANINGS)].filter((key) => !found.has(key) || !(key in MEANINGS));
  if (odd.length > 0) throw new Error(`conf/compute.json and its page do not have the same keys: ${odd.join(', ')}`);
  const rows = Object.entries(MEANINGS).map(
    ([key, meaning]) => `| \`${key}\` | ${cell(`\`${JSON.stringify(found.get(key))}\``)} | ${cell(meaning)} |`,
  );
  return `{% raw %}\n\n| key | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n\n{% endraw %}\n`;
}
