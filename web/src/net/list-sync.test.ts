import Backbone from 'backbone';
import { describe, expect, it } from 'vitest';
import { applyPatch } from '../../../common/pure/patch/apply.ts';
import type { PatchOperation } from '../../../common/wire/live.ts';
import { rowsOf, syncCollection } from './list-sync.ts';

function setUp(count: number) {
  const collection = new Backbone.Collection();
  let body: unknown = Array.from({ length: count }, (_, i) => ({ id: `i${i}`, state: 'running', load: { cpu: i } }));
  syncCollection(collection, body);
  const changed: string[] = [];
  const log = (what: string) => (model: Backbone.Model) => changed.push(`${what} ${model.id}`);
  collection.on('change', log('change')).on('add', log('add')).on('remove', log('remove'));
  const patch = (operations: PatchOperation[]) => {
    body = applyPatch(body, operations);
    syncCollection(collection, body);
  };
  return { collection, changed, patch };
}

describe('syncCollection', () => {
  it('changes one model for one patched row of a thousand', () => {
    const { collection, changed, patch } = setUp(1_000);
    patch([{ op: 'replace', path: '/512/state', value: 'crashed' }]);
    expect(changed).toEqual(['change i512']);
    expect(collection.get('i512')!.get('state')).toBe('crashed');
  });

  it('sees a change inside a nested value', () => {
    const { changed, patch } = setUp(3);
    patch([{ op: 'replace', path: '/1/load/cpu', value: 99 }]);
    expect(changed).toEqual(['change i1']);
  });

  it('adds, removes and moves', () => {
    const { collection, changed, patch } = setUp(3);
    patch([
      { op: 'remove', path: '/0' },
      { op: 'add', path: '/0', value: { id: 'new', state: 'shutoff' } },
    ]);
    expect(changed).toEqual(['remove i0', 'add new']);
    expect(collection.map((model) => model.id).sort()).toEqual(['i1', 'i2', 'new']);
  });

  it('unsets what a row no longer has', () => {
    const { collection, patch } = setUp(1);
    patch([{ op: 'remove', path: '/0/load' }]);
    expect(collection.get('i0')!.get('load')).toBeUndefined();
  });
});

it('finds the rows of a bare list and of a list in an object', () => {
  expect(rowsOf([{ id: 'a' }])).toEqual([{ id: 'a' }]);
  expect(rowsOf({ buckets: [{ id: 'a' }] })).toEqual([{ id: 'a' }]);
  expect(rowsOf(null)).toEqual([]);
});
