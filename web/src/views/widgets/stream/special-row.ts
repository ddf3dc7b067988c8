import type { Gap, Line } from '../../../../../common/model/line.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, clockText, countText, dayTimeText, plural } from '../../../dom/format.ts';
import { reasonText } from '../../../models/gap-reasons.ts';
import { placeOf } from '../../../models/line-place.ts';
import { gapOf, type LeftOut, leftOutOf, turnOf } from '../../../models/special-line.ts';

/** What a row says that is about the stream: lines that are missing, or a turn in the life of an instance. */
export interface SpecialRow {
  kind: 'gap' | 'turn';
  text: string;
  /** Where more of it stands. */
  link: { name: string; href: string } | null;
}

/** How a line is drawn that is more than text; null for a line of text. */
export function specialRow(line: Line, instanceName: (id: string) => string): SpecialRow | null {
  if (line.fields === undefined) return null;
  const gap = gapOf(line);
  if (gap !== null) return { kind: 'gap', text: gapText(line, gap), link: ledgerOf(line) };
  const turn = turnOf(line);
  if (turn !== null) {
    const name = visibleText(line.instance === undefined ? (line.unit ?? 'The instance') : instanceName(line.instance));
    const host = visibleText(turn.host ?? line.hostName);
    const said = TURNS.get(turn.kind);
    const text = said === undefined ? visibleText(line.message) : `${name} ${said} on host ${host}`;
    const href = `#/instances/${encodeURIComponent(line.instance ?? '')}`;
    return { kind: 'turn', text, link: line.instance === undefined ? null : { name: 'Instance', href } };
  }
  const left = leftOutOf(line);
  return left === null ? null : { kind: 'gap', text: leftOutText(line, left), link: ledgerOf(line) };
}

/** What is said of an instance at a turn of its life. */
const TURNS: ReadonlyMap<string, string> = new Map([
  ['moved', 'is now'],
  ['started', 'was started'],
  ['reset', 'was reset'],
  ['crashed', 'crashed'],
]);

function ledgerOf({ agent }: Line): SpecialRow['link'] {
  return { name: 'Ledger', href: `#/ledger?${new URLSearchParams({ agent })}` };
}

/** The sentence of a gap: how much is missing, of whom, between which times, why. */
function gapText(line: Line, gap: Gap): string {
  const count = gap.to - gap.from + 1;
  const { firstTsMs, lastTsMs } = gap;
  const range =
    count === 1 ? ` (number ${countText(gap.from)})` : ` (numbers ${countText(gap.from)} to ${countText(gap.to)})`;
  const when = timesText(firstTsMs ?? null, lastTsMs ?? null) || range;
  const size = gap.bytes > 0 ? `, ${bytesText(gap.bytes)}` : '';
  const were = count === 1 ? 'was lost' : 'were lost';
  return `${plural(count, 'line')} of ${whose(line)} ${were}${when}: ${why(gap.reason)}${size}`;
}

function leftOutText(line: Line, { count, reason, firstMs, lastMs }: LeftOut): string {
  const of = [whose(line), visibleText(line.unit ?? line.source)].join(' ');
  const limit = line.fields?.['linesPerSecond'];
  const cause = reason === 'rate' && typeof limit === 'number' ? `over ${countText(limit)} a second` : why(reason);
  if (count === null) return `Lines of ${of} may be missing${timesText(firstMs, lastMs)}: ${why(reason)}`;
  const were = count === 1 ? 'was left out' : 'were left out';
  return `${plural(count, 'line')} of ${of} ${were}${timesText(firstMs, lastMs)}: ${cause}`;
}

const whose = (line: Line) => visibleText(placeOf(line));
const why = (reason: unknown) => visibleText(reasonText(String(reason)));
const DAY_MS = 86_400_000;

function timesText(firstMs: number | null, lastMs: number | null): string {
  if (firstMs === null || firstMs <= 0) return '';
  const text = (ms: number) => (Date.now() - ms < DAY_MS ? clockText(ms).slice(0, 8) : dayTimeText(ms));
  if (lastMs === null) return ` since ${text(firstMs)}`;
  const [first, last] = [text(firstMs), text(lastMs)];
  return first === last ? ` at ${first}` : ` between ${first} and ${last}`;
}
