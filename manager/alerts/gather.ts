import type { AlertNotice, Gathered, GatheredRule } from '../store/ports.ts';

/** The events that a message names; the others are counted. */
export const LIMIT_TOP = 20;

const WEIGHT = { info: 0, warning: 1, critical: 2 };

/** What a message tells so far: nothing yet of the event that is put in next. */
export function nothingGathered(): Gathered {
  return { fired: 0, ended: 0, lines: 0, rules: [], top: [] };
}

/** Puts one event in, in place. What is kept stays small however many there are. */
export function gather(into: Gathered, notice: AlertNotice): void {
  const rule = ruleOf(into, notice);
  if (notice.what === 'ended') {
    into.ended += 1;
    rule.ended += 1;
  } else {
    into.fired += 1;
    rule.fired += 1;
    into.lines += notice.count;
  }
  const { top } = into;
  if (top.length >= LIMIT_TOP && order(notice, top.at(-1)!) >= 0) return;
  const place = top.findIndex((one) => order(notice, one) < 0);
  top.splice(place === -1 ? top.length : place, 0, notice);
  if (top.length > LIMIT_TOP) top.pop();
}

/** The worst of all that fired; of what ended alone, the worst of that. */
export function worstOf({ rules, fired }: Gathered): AlertNotice['severity'] {
  const counted = rules.filter((rule) => fired === 0 || rule.fired > 0);
  return counted.reduce<AlertNotice['severity']>(
    (worst, { severity }) => (WEIGHT[severity] > WEIGHT[worst] ? severity : worst),
    'info',
  );
}

function ruleOf({ rules }: Gathered, { rule: id, ruleName: name, severity, groupBy }: AlertNotice): GatheredRule {
  const known = rules.find((rule) => rule.id === id);
  if (known !== undefined) return known;
  const made = { id, name, severity, groupBy, fired: 0, ended: 0 };
  rules.push(made);
  return made;
}

/** What fired comes before what ended, the worse before the less bad, more lines before fewer, and then what was first. */
function order(a: AlertNotice, b: AlertNotice): number {
  return (
    Number(a.what === 'ended') - Number(b.what === 'ended') ||
    WEIGHT[b.severity] - WEIGHT[a.severity] ||
    b.count - a.count ||
    a.tsMs - b.tsMs
  );
}
