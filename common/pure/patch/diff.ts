import type { PatchOperation } from '../../wire/live.ts';
import { keyedEdits } from './keyed.ts';
import { childPath } from './pointer.ts';
import { same } from './same.ts';

/**
 * The RFC 6902 operations (`add`, `replace`, `remove` only) that turn `before` into `after`. Both are JSON values; a
 * property that is `undefined` counts as absent, as it does on the wire. Lists of objects with an `id` are compared
 * row by row under that id, so one changed cell is one small operation wherever the row stands. The operations hold
 * parts of `after` itself: neither value may be changed afterwards.
 */
export function diff(before: unknown, after: unknown): PatchOperation[] {
  const operations: PatchOperation[] = [];
  compare(before, after, '', operations);
  return operations;
}

type Json = Record<string, unknown>;

function compare(before: unknown, after: unknown, path: string, out: PatchOperation[]): void {
  if (before === after || (Number.isNaN(before) && Number.isNaN(after))) return;
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, out);
  else if (isObject(before) && isObject(after)) compareObjects(before, after, path, out);
  else out.push({ op: 'replace', path, value: after === undefined ? null : after });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compareObjects(before: Json, after: Json, path: string, out: PatchOperation[]): void {
  const start = out.length;
  compareKeys(before, after, path, out);
  // Most of a small record is new (a load, a progress): whole it is shorter than field by field. Rows keep their fields.
  if (out.length - start < 3 || path === '' || Object.hasOwn(after, 'id') || !isFlat(after)) return;
  if ((out.length - start) * 2 < Object.keys(after).length) return;
  out.length = start;
  out.push({ op: 'replace', path, value: after });
}

function isFlat(value: Json): boolean {
  for (const key of Object.keys(value)) if (typeof value[key] === 'object' && value[key] !== null) return false;
  return true;
}

function compareKeys(before: Json, after: Json, path: string, out: PatchOperation[]): void {
  for (const key of Object.keys(before)) {
    if (before[key] !== undefined && (!Object.hasOwn(after, key) || after[key] === undefined))
      out.push({ op: 'remove', path: childPath(path, key) });
  }
  for (const key of Object.keys(after)) {
    const value = after[key];
    if (value === undefined) continue;
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (old === undefined) out.push({ op: 'add', path: childPath(path, key), value });
    // What is equal is found out before any path is written.
    else if (!same(old, value)) compare(old, value, childPath(path, key), out);
  }
}

function compareLists(before: unknown[], after: unknown[], path: string, out: PatchOperation[]): void {
  const edits = keyedEdits(before, after);
  if (edits === 'replace') out.push({ op: 'replace', path, value: after });
  else if (edits === null) comparePositions(before, after, path, out);
  else {
    for (const at of edits.removed) out.push({ op: 'remove', path: childPath(path, at) });
    for (let i = 0; i < after.length; i++) {
      const old = edits.keptFrom[i] ?? -1;
      if (old < 0) out.push({ op: 'add', path: childPath(path, i), value: after[i] });
      else if (!same(before[old], after[i]))
        compareObjects(before[old] as Json, after[i] as Json, childPath(path, i), out);
    }
  }
}

/** Lists without ids: what is equal at both ends stays, the middle is compared place by place. */
function comparePositions(before: unknown[], after: unknown[], path: string, out: PatchOperation[]): void {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && same(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && same(before[before.length - 1 - end], after[after.length - 1 - end])) end += 1;
  const oldMiddle = before.length - start - end;
  const newMiddle = after.length - start - end;
  for (let i = oldMiddle - 1; i >= newMiddle; i--) out.push({ op: 'remove', path: childPath(path, start + i) });
  for (let i = 0; i < newMiddle; i++) {
    const at = childPath(path, start + i);
    const value = after[start + i] === undefined ? null : after[start + i];
    if (i < oldMiddle) compare(before[start + i] ?? null, value, at, out);
    else out.push({ op: 'add', path: at, value });
  }
}
