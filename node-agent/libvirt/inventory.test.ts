import { beforeEach, expect, test } from 'vitest';
import { createInventory, type Inventory } from './inventory.ts';

// A virsh of ours whose domains change between two questions, as fast as no real one can be made to.
const ONE = 'aaaaaaaa-0000-4000-8000-000000000001';
const TWO = 'aaaaaaaa-0000-4000-8000-000000000002';
let names: Map<string, string>;
let states: Map<string, number>;
let asked: string[];
/** Called before each question is answered. */
let meanwhile: (question: string) => void;
let inventory: Inventory;

/** What virsh takes a word for: a UUID if there is one, else a name. */
const found = (word: string) => (names.has(word) ? word : [...names].find(([, name]) => name === word)?.[0]);

function answer(words: readonly string[]): string | null {
  const [verb, flag] = words;
  if (verb === 'list' && words.includes('--name')) return [...names].map(([id, name]) => `${id} ${name}\n`).join('');
  if (verb === 'list') return words.includes('--persistent') ? [...names.keys()].map((id) => `${id}\n`).join('') : '';
  if (verb === 'domstats')
    return [...names]
      .map(([id, name]) => `Domain: '${name}'\n  state.state=${states.get(id)}\n  state.reason=1\n\n`)
      .join('');
  const id = found(words.at(-1) ?? '');
  if (id === undefined) return null;
  if (verb === 'dumpxml') return `<domain><name>${names.get(id)}</name><uuid>${id}</uuid><vcpu>1</vcpu></domain>`;
  const state = states.get(id) === 1 ? 'running' : 'shut off';
  if (flag === '--reason') return `${state} (unknown)\n`;
  return `Name:  ${names.get(id)}\nUUID:  ${id}\nState: ${state}\nPersistent: yes\n`;
}

beforeEach(async () => {
  names = new Map([
    [ONE, 'one'],
    [TWO, 'two'],
  ]);
  states = new Map([
    [ONE, 1],
    [TWO, 5],
  ]);
  asked = [];
  meanwhile = () => undefined;
  inventory = createInventory({
    async ask(words) {
      asked.push(words.join(' '));
      meanwhile(words.join(' '));
      const stdout = answer(words);
      return stdout === null ? { stdout: '', stderr: 'error: failed to get domain' } : { stdout, stderr: '' };
    },
  });
  await inventory.relist(true);
  asked = [];
});

test('names that are swapped between two questions never swap the states', async () => {
  let swapped = false;
  meanwhile = (question) => {
    if (swapped || !question.startsWith('domstats')) return;
    swapped = true;
    names = new Map([
      [ONE, 'two'],
      [TWO, 'one'],
    ]);
  };
  await inventory.relist(false);
  expect(inventory.get(ONE)).toMatchObject({ name: 'two', state: 'running' });
  expect(inventory.get(TWO)).toMatchObject({ name: 'one', state: 'shutoff' });
  expect([inventory.idOf('one'), inventory.idOf('two')]).toEqual([TWO, ONE]);
});

test('one that is gone is gone, even when another has its UUID for a name', async () => {
  names = new Map([[TWO, ONE]]);
  expect((await inventory.refresh(ONE, false)).instance).toBeNull();
  expect(inventory.get(ONE)).toBeUndefined();
});

test('a name in an event is looked up anew: redefined under the same name is another instance', async () => {
  const other = 'bbbbbbbb-0000-4000-8000-000000000001';
  names = new Map([
    [other, 'one'],
    [TWO, 'two'],
  ]);
  states.set(other, 1);
  const changes = await inventory.refreshNames(new Map([['one', { xml: true }]]));
  expect(changes).toEqual({ changed: [other], gone: [ONE] });
  expect(inventory.idOf('one')).toBe(other);
});

test('an event costs three questions; what changed only its state asks for no XML', async () => {
  states.set(ONE, 5);
  expect(await inventory.refreshNames(new Map([['one', { xml: false }]]))).toEqual({ changed: [ONE], gone: [] });
  expect(asked).toEqual(['list --all --uuid --name', `dominfo -- ${ONE}`, `domstate --reason -- ${ONE}`]);
});

test('a read that fails half-way leaves the last known state', async () => {
  const before = inventory.list();
  states.set(ONE, 5);
  meanwhile = (question) => {
    if (question.includes('--with-managed-save')) throw new Error('gone');
  };
  await expect(inventory.relist(false)).rejects.toThrow('gone');
  expect(inventory.list()).toEqual(before);
});

test('whoever had a name and is gone is told once: its removal may be heard of only afterwards', async () => {
  names.delete(TWO);
  await inventory.relist(false);
  expect(inventory.idOf('two')).toBeUndefined();
  expect([inventory.takeFormer('two'), inventory.takeFormer('two')]).toEqual([TWO, undefined]);
});
