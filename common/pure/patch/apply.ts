import type { PatchOperation } from '../../wire/live.ts';
import { pathKeys } from './pointer.ts';

/** A patch that does not fit the value it was given: the reader has lost track and must ask for the whole again. */
export class PatchError extends Error {}

type Container = Record<string, unknown> | unknown[];

/**
 * Applies `operations` in order and returns the new value. `body` itself is never changed: what a patch touches is
 * copied once, the rest is shared, so an untouched row is the same object before and after.
 * Only own properties are ever followed, and `__proto__` is set as a plain property: no patch reaches a prototype.
 * Throws PatchError when a path leads nowhere.
 */
export function applyPatch<T = unknown>(body: T, operations: readonly PatchOperation[]): T {
  const copies = new Set<Container>();
  let root: unknown = body;
  for (const operation of operations) {
    const keys = pathKeys(operation.path);
    if (keys.length === 0) {
      root = operation.op === 'remove' ? null : operation.value;
      continue;
    }
    root = ownCopy(root, copies, operation.path);
    let at = root as Container;
    for (let i = 0; i < keys.length - 1; i++) {
      const key = existingKey(at, keys[i]!, operation.path);
      const child = ownCopy((at as Record<string, unknown>)[key], copies, operation.path);
      put(at, key, child);
      at = child;
    }
    edit(at, keys[keys.length - 1]!, operation);
  }
  return root as T;
}

function ownCopy(value: unknown, copies: Set<Container>, path: string): Container {
  if (typeof value !== 'object' || value === null) throw new PatchError(`nothing to change at ${path}`);
  if (copies.has(value as Container)) return value as Container;
  const copy = Array.isArray(value) ? value.slice() : copyObject(value as Record<string, unknown>);
  copies.add(copy);
  return copy;
}

function copyObject(value: Record<string, unknown>): Record<string, unknown> {
  // A spread defines properties, it never calls the setter of __proto__.
  return { ...value };
}

function put(at: Container, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(at, key, { value, writable: true, enumerable: true, configurable: true });
  else (at as Record<string, unknown>)[key] = value;
}

function existingKey(at: Container, key: string, path: string): string {
  if (Array.isArray(at)) return String(listIndex(key, at.length - 1, path));
  if (!Object.hasOwn(at, key)) throw new PatchError(`no such place: ${path}`);
  return key;
}

function listIndex(key: string, most: number, path: string): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(key)) throw new PatchError(`not a place in a list: ${path}`);
  const index = Number(key);
  if (index > most) throw new PatchError(`no such place: ${path}`);
  return index;
}

function edit(at: Container, key: string, operation: PatchOperation): void {
  const { path } = operation;
  if (operation.op === 'add') {
    if (Array.isArray(at)) at.splice(key === '-' ? at.length : listIndex(key, at.length, path), 0, operation.value);
    else put(at, key, operation.value);
  } else if (operation.op === 'replace') {
    put(at, existingKey(at, key, path), operation.value);
  } else if (operation.op === 'remove') {
    const existing = existingKey(at, key, path);
    if (Array.isArray(at)) at.splice(Number(existing), 1);
    else delete at[existing];
  } else {
    throw new PatchError('unknown operation');
  }
}
