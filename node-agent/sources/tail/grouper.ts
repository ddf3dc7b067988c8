import { CUT_MARK, type Cut } from './line-cutter.ts';

export interface GroupRule {
  /** True for the first line of a record; lines that follow it belong to it until the next one. */
  startsRecord(text: string): boolean;
  /** A record is given out when nothing followed for so long. */
  waitMs: number;
  capBytes: number;
  capLines: number;
}

/** Joins lines that belong together, such as a stack trace. What is over the caps is given out cut, the rest follows. */
export function createGrouper(rule: GroupRule, give: (cut: Cut) => void) {
  let lines: string[] = [];
  let bytes = 0;
  let last: Cut | null = null;

  function flush(mark = ''): void {
    if (last === null) return;
    const whole = { ...last, text: lines.join('\n') + mark, isCut: last.isCut || mark !== '' };
    lines = [];
    bytes = 0;
    last = null;
    give(whole);
  }

  return {
    take(cut: Cut): void {
      if (last !== null && rule.startsRecord(cut.text)) flush();
      if (last !== null && (lines.length >= rule.capLines || bytes + cut.text.length > rule.capBytes)) flush(CUT_MARK);
      lines.push(cut.text);
      bytes += cut.text.length + 1;
      last = cut;
    },
    isHolding: () => last !== null,
    flush: () => flush(),
  };
}
