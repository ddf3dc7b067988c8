import type { IndexShelf, LoadedIndex } from './index-shelf.ts';
import type { HotTable, Layout, Segment } from './layout.ts';
import { mayMatch, type Needles } from './needles.ts';
import type { Block } from './segment-index.ts';

/** A part of what may match. `fromMs..toMs` and ordinals are all included. */
interface Part {
  fromMs: number;
  toMs: number;
  minOrdinal: number;
  maxOrdinal: number;
  lines: number;
}

export interface TablePart extends Part {
  table: 'lines' | 'lines_sealing';
}

export interface SegmentPart extends Part {
  segment: Segment;
  loaded: LoadedIndex | null;
  /** Blocks that may match; null when they are not known. */
  blocks: Block[] | null;
}

/** Where lines of a filter may be, at one moment. */
export interface Plan {
  tables: TablePart[];
  segments: SegmentPart[];
  /** Files of the range that cannot be read at all. */
  lost: readonly Segment[];
}

export interface Range {
  /** On the time that lines are ordered by; `toMs` excluded. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** Arrival numbers; `toOrdinal` excluded. */
  fromOrdinal?: number;
  toOrdinal?: number;
}

/** Chooses tables, files and blocks. `needles` null: every line of the range is wanted. */
export async function planOf(layout: Layout, shelf: IndexShelf, needles: Needles | null, range: Range): Promise<Plan> {
  const plan: Plan = { tables: [], segments: [], lost: layout.lost.filter((segment) => meets(partOf(segment), range)) };
  addTable(plan, 'lines', layout.hot);
  if (layout.sealing !== null) addTable(plan, 'lines_sealing', layout.sealing);
  plan.tables = plan.tables.filter((part) => meets(part, range));
  for (const segment of layout.segments) {
    const part = partOf(segment);
    if (!meets(part, range)) continue;
    const loaded = await shelf.get(segment);
    plan.segments.push({ ...part, segment, loaded, blocks: loaded?.index.blocks ?? null });
  }
  return narrowed(needles === null ? plan : { ...plan, segments: plan.segments.map(matching(needles)) }, range);
}

function partOf({ minSortMs, maxSortMs, minOrdinal, maxOrdinal, lines }: Segment): Part {
  return { fromMs: minSortMs, toMs: maxSortMs, minOrdinal, maxOrdinal, lines };
}

function addTable(plan: Plan, table: TablePart['table'], { extent, lines }: HotTable): void {
  if (extent === null) return;
  const { oldestMs: fromMs, newestMs: toMs } = extent;
  plan.tables.push({ table, fromMs, toMs, minOrdinal: 0, maxOrdinal: Number.MAX_SAFE_INTEGER, lines });
}

/** The parts of a plan inside a smaller range. */
export function narrowed(plan: Plan, range: Range): Plan {
  const segments: SegmentPart[] = [];
  for (const part of plan.segments) {
    if (!meets(part, range)) continue;
    const blocks = part.blocks?.filter((block) =>
      meets({ ...block, fromMs: block.minSortMs, toMs: block.maxSortMs }, range),
    );
    if (blocks === undefined) segments.push(part);
    else if (blocks.length > 0) segments.push({ ...part, blocks });
  }
  const lost = plan.lost.filter((segment) => meets(partOf(segment), range));
  return { tables: plan.tables.filter((part) => meets(part, range)), segments, lost };
}

function matching(needles: Needles): (part: SegmentPart) => SegmentPart {
  return (part) => {
    const { blocks, loaded } = part;
    if (blocks === null || loaded === null) return part;
    return { ...part, blocks: blocks.filter((block) => mayMatch(needles, block, loaded.data)) };
  };
}

function meets(part: Part, { fromMs, toMs, fromOrdinal, toOrdinal }: Range): boolean {
  if (fromMs !== undefined && part.toMs < fromMs) return false;
  if (toMs !== undefined && part.fromMs >= toMs) return false;
  if (fromOrdinal !== undefined && part.maxOrdinal < fromOrdinal) return false;
  return toOrdinal === undefined || part.minOrdinal < toOrdinal;
}

export function isEmpty({ tables, segments, lost }: Plan): boolean {
  return tables.length === 0 && segments.length === 0 && lost.length === 0;
}
