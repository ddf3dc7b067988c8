import type { RawAnswer } from '../../http/route.ts';
import type { LineFilter, LineStore } from '../../store/ports.ts';
import { EXPORT_TYPES, type ExportFormat, exportHead, exportLine } from './present.ts';
import { createUnreadable } from './unreadable.ts';

const PAGE_LINES = 2_000;
/** Behind the last line: how many there were, and whether that is all. */
const SUMMARY = 'X-WebVirt-Export';

/**
 * Writes the lines of a filter in the order in which they arrived, page by page, as fast as the peer takes them. It ends
 * at the line that was the newest when it began: an export does not run after a live stream for ever. The trailer
 * `X-WebVirt-Export` says at the end whether these are all (`complete; lines=N`), the limit left some out (`cut; lines=N`), or
 * some could not be read (`incomplete; lines=N; unreadable=M`); an answer that breaks off before it is not whole.
 */
export async function exportLines(
  store: Pick<LineStore, 'since' | 'newestOrdinal'>,
  filter: LineFilter,
  options: { format: ExportFormat; limit?: number | undefined; nowMs: number; signal: AbortSignal },
  out: RawAnswer,
): Promise<void> {
  const { format, signal } = options;
  const last = store.newestOrdinal();
  const stamp = new Date(options.nowMs).toISOString().replaceAll(/[:.]/g, '-');
  const ending = format === 'text' ? 'log' : format;
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let written = 0;
  let ordinal = 0;
  // Read before the first byte: a filter that cannot be read is still answered with an ordinary error.
  const unreadable = createUnreadable();
  const read = (lines: number) => store.since(filter, ordinal, lines, signal, unreadable.note);
  let page = await read(Math.min(PAGE_LINES, limit));
  out.header('Content-Type', EXPORT_TYPES[format]);
  out.header('Content-Disposition', `attachment; filename="webvirt-logs-${stamp}.${ending}"`);
  out.header('Trailer', SUMMARY);
  await out.write(exportHead(format));
  for (;;) {
    signal.throwIfAborted();
    let text = '';
    for (const line of page.lines) text += exportLine(format, line);
    if (text !== '') await out.write(text);
    written += page.lines.length;
    ordinal = page.lastOrdinal;
    const all = ordinal >= last || page.lines.length === 0;
    if (all || written >= limit) {
      const cut = !all && (await read(1)).lines.length > 0;
      const lost = unreadable.lines();
      const word = cut ? 'cut' : lost > 0 ? 'incomplete' : 'complete';
      return out.trailer(SUMMARY, `${word}; lines=${written}${lost > 0 ? `; unreadable=${lost}` : ''}`);
    }
    page = await read(Math.min(PAGE_LINES, limit - written));
  }
}
