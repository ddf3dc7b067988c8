import { join } from 'node:path';
import type { UnreadableLines } from '../ports.ts';
import { writeExcerpt } from './excerpts.ts';
import type { Plan, SegmentPart } from './plan.ts';
import { integer } from './query-sql.ts';
import { LINE_COLUMNS, linesIn } from './schema.ts';
import { linesOf, type SegmentGuard } from './segment-guard.ts';
import { quotedText } from './sql-text.ts';

/** Blocks that are read by themselves; of more than these the files are read. */
const LIMIT_EXCERPT_BLOCKS = 24;

/** What stands behind FROM for the lines of a plan, and some more that its filter refuses. */
export interface Relation {
  sql: string;
  /** Files that are there for this question alone. */
  excerpts: string[];
  /** Blocks of the plan that cannot be read: their lines are not in it. By a name of their own. */
  lost: Map<string, UnreadableLines>;
}

export interface RelationDeps {
  folder: string;
  guard: SegmentGuard;
}

/** Every block of it was compared with its checksum. */
export async function relationOf(plan: Plan, deps: RelationDeps): Promise<Relation> {
  const relation: Relation = { sql: '', excerpts: [], lost: new Map() };
  noteLostFiles(relation.lost, plan);
  const parts = plan.tables.map(({ table }) => `SELECT ${LINE_COLUMNS} FROM ${linesIn(table)}`);
  parts.push(...((await fromExcerpts(plan, deps, relation)) ?? (await fromFiles(plan, deps, relation))));
  if (parts.length === 0) parts.push(`SELECT ${LINE_COLUMNS} FROM ${linesIn('lines')} WHERE FALSE`);
  relation.sql = `(${parts.join(' UNION ALL ')})`;
  return relation;
}

/** Null when the files themselves have to be read: there is too much, or no room for excerpts. */
async function fromExcerpts(plan: Plan, deps: RelationDeps, relation: Relation): Promise<string[] | null> {
  const blocks = plan.segments.reduce((sum, part) => sum + (knownBlocks(part)?.length ?? Infinity), 0);
  if (blocks > LIMIT_EXCERPT_BLOCKS) return null;
  const paths: string[] = [];
  const bad: number[] = [];
  for (const part of plan.segments) {
    const wanted = knownBlocks(part)!;
    try {
      const excerpt = await writeExcerpt(deps.folder, deps.guard, part.segment, part.loaded!, wanted);
      for (const block of excerpt.bad) {
        noteLostBlock(relation.lost, part, block);
        bad.push(part.loaded!.index.blocks[block]!.block);
      }
      if (excerpt.path !== null) paths.push(excerpt.path);
    } catch {
      return null;
    } finally {
      relation.excerpts = paths;
    }
  }
  if (paths.length === 0) return [];
  // What is said to be lost must not be there in part.
  const rest = bad.length === 0 ? '' : ` WHERE block NOT IN (${bad.map(integer).join(', ')})`;
  return [`SELECT ${LINE_COLUMNS} FROM ${filesIn(paths)}${rest}`];
}

async function fromFiles(plan: Plan, { folder, guard }: RelationDeps, relation: Relation): Promise<string[]> {
  const whole: string[] = [];
  const some: string[] = [];
  const numbers: number[] = [];
  for (const part of plan.segments) {
    const path = join(folder, part.segment.file);
    const wanted = knownBlocks(part);
    let blocks = part.blocks;
    if (wanted !== null) {
      const bad = await guard.badBlocks(part.segment, part.loaded!, wanted);
      for (const block of bad) noteLostBlock(relation.lost, part, block);
      blocks = part.blocks!.filter((_, i) => !bad.has(wanted[i]!));
    }
    if (blocks === null || blocks.length === part.loaded?.index.blocks.length) whole.push(path);
    else if (blocks.length > 0) {
      some.push(path);
      numbers.push(...blocks.map(({ block }) => block));
    }
  }
  const parts: string[] = [];
  if (whole.length > 0) parts.push(`SELECT ${LINE_COLUMNS} FROM ${filesIn(whole)}`);
  if (some.length > 0)
    parts.push(`SELECT ${LINE_COLUMNS} FROM ${filesIn(some)} WHERE block IN (${numbers.map(integer).join(', ')})`);
  return parts;
}

/** Which blocks of its file a part wants, counted from 0; null when their places are not known. */
export function knownBlocks({ loaded, blocks }: SegmentPart): number[] | null {
  const places = loaded?.index.sealed?.places;
  return places === undefined || blocks === null ? null : blocks.map(({ block }) => block - places.firstBlock);
}

export function noteLostBlock(lost: Relation['lost'], { segment, loaded }: SegmentPart, at: number): void {
  const block = loaded!.index.blocks[at]!;
  lost.set(`${segment.file} ${block.block}`, linesOf(block));
}

export function noteLostFiles(lost: Relation['lost'], plan: Plan): void {
  for (const { file, lines, minSortMs: fromMs, maxSortMs: toMs } of plan.lost) lost.set(file, { lines, fromMs, toMs });
}

function filesIn(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quotedText).join(', ')}])`;
}
