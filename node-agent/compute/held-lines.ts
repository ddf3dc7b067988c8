import type { NewLine } from '../../common/model/line.ts';

export interface HeldLines {
  emit(line: NewLine): void;
  /** Hands on now what is held. */
  flush(): void;
}

/**
 * Hands lines on a moment later, together. Each commit of the spool is synced, and while the disk syncs nothing else runs
 * here: a short cell's result must not wait for the lines that tell of it. Their time is when they were said.
 */
export function createHeldLines(holdMs: number, emit: (line: NewLine) => void): HeldLines {
  let held: NewLine[] = [];
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const lines = held;
    held = [];
    for (const line of lines) emit(line);
  }

  return {
    flush,
    emit(line) {
      held.push(line);
      timer ??= setTimeout(flush, holdMs);
    },
  };
}
