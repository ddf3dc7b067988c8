import { printRows, type Row } from './table.ts';

/** Undoes something; the last registered comes first, whatever happened. It may be called a second time. */
export type Undo = () => unknown;

const LIMIT_MS = 150_000;
const UNDO_LIMIT_MS = 20_000;

/**
 * Runs one bench to its end: prints its rows, undoes what it made, ends the process. It is bounded in time, and a signal or
 * a step that hangs still undoes everything. Exit code 1 when there are no rows.
 */
export async function runBench(
  title: string,
  work: (later: (undo: Undo) => void) => Promise<Row[]>,
  limitMs = LIMIT_MS,
): Promise<never> {
  const undos: Undo[] = [];
  let cancel: (error: Error) => void = () => {};
  const cancelled = new Promise<never>((_resolve, reject) => {
    cancel = reject;
  });
  const timer = setTimeout(() => cancel(new Error(`not done after ${limitMs / 1_000} s`)), limitMs);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => cancel(new Error(`ended by ${signal}`)));
  let code = 1;
  try {
    const rows = await Promise.race([work((undo) => undos.push(undo)), cancelled]);
    printRows(title, rows);
    code = 0;
  } catch (error) {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  }
  clearTimeout(timer);
  // Work that was cancelled may still have made something while it was undone: what fails is tried once more.
  for (const undo of undos.reverse()) if (!(await bounded(undo)) && code !== 0) await bounded(undo);
  process.exit(code);
}

/** One part that does not end must not keep the others. False when it failed. */
async function bounded(undo: Undo): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('something does not stop')), UNDO_LIMIT_MS);
  });
  try {
    await Promise.race([Promise.resolve().then(undo), late]);
    return true;
  } catch (error) {
    console.error(String(error));
    return false;
  } finally {
    clearTimeout(timer);
  }
}
