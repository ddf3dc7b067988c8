import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LEVELS, type Line } from '../../../common/model/line.ts';
import type { UnreadableLines } from '../ports.ts';
import { batch, NOW } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

/** What a storm of damage saw; `problems` is empty when the promise was kept. */
export interface StormReport {
  rounds: number;
  /** Rounds in which lines could not be read. */
  lossy: number;
  problems: string[];
}

/** One file of two blocks, and small ones. */
const FILES = [8_700, 300, 200];
const TOTAL = FILES.reduce((sum, lines) => sum + lines, 0);
/** Every so many rounds the store is opened again behind the damage. */
const REOPEN_EVERY = 5;

/**
 * Damages a random place of a random sealed file or side file, each time of a store that is whole, and asks everything: no
 * question may fail, no line may be another one, and what is missing must be said.
 */
export async function damageStorm({ rounds, seed }: { rounds: number; seed: number }): Promise<StormReport> {
  const random = randomOf(seed);
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-damage-'));
  const report: StormReport = { rounds, lossy: 0, problems: [] };
  let told = 0;
  const open = () =>
    openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity, onDamaged: ({ lines }) => (told += lines) });
  let store = await open();
  try {
    const whole = await fill(store);
    const pristine = join(dir, 'pristine');
    cpSync(join(dir, 'lines'), pristine, { recursive: true });
    const names = readdirSync(pristine).filter((name) => /\.(parquet|index)$/.test(name));
    for (let round = 0; round < rounds; round += 1) {
      const name = names[random(names.length)]!;
      const path = join(dir, 'lines', name);
      // A side file is read once and kept.
      const reopen = name.endsWith('.index') || round % REOPEN_EVERY === 0;
      if (reopen) await store.close();
      const what = `round ${round}: ${damage(path, random)} of ${name}`;
      told = 0;
      try {
        if (reopen) store = await open();
        const missing = await ask(store, whole, random);
        if (missing > 0) report.lossy += 1;
        // Each block is told once, until the store is opened again.
        if (missing > 0 && told === 0 && reopen) throw new Error(`${missing} lines are missing and nobody was told`);
      } catch (error) {
        report.problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
      // What is made anew behind the damage ends with the store.
      if (reopen) await store.close();
      for (const each of reopen ? names : [name])
        writeFileSync(join(dir, 'lines', each), readFileSync(join(pristine, each)));
      if (reopen) store = await open();
    }
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
  return report;
}

async function fill(store: OpenLineStore): Promise<Map<string, string>> {
  let first = 0;
  for (const count of FILES) {
    const lines = Array.from({ length: count }, (_, i) => ({
      ...{ level: LEVELS[i % 4]!, tsMs: NOW + first + i, unit: `unit-${i % 7}` },
      ...{ message: `kind ${i % 5} of request ${(first + i) * 7919} took ${i % 97} ms`, fields: { n: first + i } },
    }));
    await store.lines.append([batch(first, lines, { receivedMs: NOW + TOTAL })]);
    await store.seal();
    first += count;
  }
  const { lines } = await store.lines.query({}, { limit: TOTAL });
  if (lines.length !== TOTAL) throw new Error('the store was not whole');
  return new Map(lines.map((line) => [line.id, JSON.stringify(line)]));
}

/** Asks in every way. Answers how many lines could not be read; throws when an answer is wrong. */
async function ask({ lines }: OpenLineStore, whole: Map<string, string>, random: (limit: number) => number) {
  const check = (found: readonly Line[]) => {
    for (const line of found)
      if (whole.get(line.id) !== JSON.stringify(line)) throw new Error(`another line: ${line.id}`);
  };
  const word = `request ${random(TOTAL) * 7919} took`;
  const one = await lines.query({ q: `"${word}"` }, { limit: 5 });
  check(one.lines);
  if (one.lines.length === 0 && (one.unreadable ?? []).length === 0)
    throw new Error(`"${word}" is not there, and no word why`);
  const page = await lines.query({ level: 'warn' }, { limit: 100 });
  check(page.lines);
  const { lines: found, unreadable = [] } = await lines.query({}, { limit: TOTAL + 1 });
  check(found);
  if (new Set(found.map(({ id }) => id)).size !== found.length) throw new Error('a line is there twice');
  const missing = unreadable.reduce((sum, one) => sum + one.lines, 0);
  if (found.length + missing !== whole.size) throw new Error(`${found.length} lines and ${missing} that are missing`);
  let lost = missingIn();
  if ((await lines.count({ q: 'request' }, undefined, lost.note)) !== found.length)
    throw new Error('another number is counted');
  if (lost.lines() !== missing) throw new Error(`the count says that ${lost.lines()} are missing`);
  // Counts by level alone know of what was damaged before; of a file that is gone they say that it is.
  lost = missingIn();
  const byLevel = await lines.count({ level: 'debug' }, undefined, lost.note);
  if (byLevel !== whole.size && byLevel + lost.lines() < whole.size) throw new Error('levels are missing unsaid');
  if (lost.lines() !== missing) throw new Error(`the count of levels says that ${lost.lines()} cannot be read`);
  if (random(8) === 0) {
    lost = missingIn();
    const since = await lines.since({}, 0, TOTAL, undefined, lost.note);
    check(since.lines);
    if (since.lines.length !== found.length) throw new Error('an export has another number of lines');
    if (lost.lines() !== missing) throw new Error(`an export says that ${lost.lines()} are missing`);
  }
  const id = [...whole.keys()][random(whole.size)]!;
  check(await lines.context(id, { before: 5, after: 5, sameHost: false }));
  lost = missingIn();
  const units = await lines.facets({ q: 'request' }, 'unit', 10, undefined, lost.note);
  const inUnits = units.reduce((sum, { count }) => sum + count, 0);
  if (inUnits + lost.lines() !== whole.size) throw new Error(`units: ${inUnits}, and ${lost.lines()} that are missing`);
  lost = missingIn();
  const range = { fromMs: NOW, toMs: NOW + TOTAL, buckets: 10 };
  const bars = await lines.histogram({ q: 'took' }, range, undefined, lost.note);
  const inBars = bars.reduce((sum, { counts }) => sum + LEVELS.reduce((all, level) => all + counts[level], 0), 0);
  if (inBars + lost.lines() !== whole.size) throw new Error(`bars: ${inBars}, and ${lost.lines()} that are missing`);
  return missing;
}

/** Gathers what an answer says it is without. */
function missingIn() {
  const all = new Map<string, UnreadableLines>();
  return {
    note: (lost: ReadonlyMap<string, UnreadableLines>) => {
      for (const [name, lines] of lost) all.set(name, lines);
    },
    lines: () => [...all.values()].reduce((sum, { lines }) => sum + lines, 0),
  };
}

/** Damages a file; answers how. */
function damage(path: string, random: (limit: number) => number): string {
  const { size } = statSync(path);
  const at = random(size);
  const bytes = readFileSync(path);
  switch (random(5)) {
    case 0:
      truncateSync(path, at);
      return `${size - at} bytes cut off`;
    case 1:
      bytes.fill(0, at, Math.min(size, at + 4_096));
      // Zeros where zeros were are no damage: then a bit is.
      if (bytes.equals(readFileSync(path))) bytes[at]! ^= 1;
      writeFileSync(path, bytes);
      return `zeros from ${at} on`;
    case 2:
      for (let i = at; i < Math.min(size, at + 512); i += 1) bytes[i] = random(256);
      writeFileSync(path, bytes);
      return `noise from ${at} on`;
    default:
      bytes[at]! ^= 1 << random(8);
      writeFileSync(path, bytes);
      return `a flipped bit at ${at}`;
  }
}

/** The same numbers for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
