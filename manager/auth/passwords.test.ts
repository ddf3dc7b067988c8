import { expect, it } from 'vitest';
import { createPasswords } from './passwords.ts';
import { readablePassword } from './secrets.ts';

it('knows a password by its hash alone', async () => {
  const passwords = createPasswords({ cost: 2 ** 15, atOnce: 2, waiting: 10 });
  const [first, second] = await Promise.all([passwords.hash('pässword'), passwords.hash('pässword')]);
  expect(first).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(first).not.toBe(second);
  expect(await passwords.verify('pässword', first)).toBe(true);
  // The same letters in the other form of Unicode, as another keyboard sends them.
  expect(await passwords.verify('pässword'.normalize('NFD'), first)).toBe(true);
  expect(await passwords.verify('password', first)).toBe(false);
  expect(await passwords.verify('', first)).toBe(false);
});

it('derives a key for nobody as well, so that the time tells nothing', async () => {
  const passwords = createPasswords({ cost: 2 ** 15, atOnce: 1, waiting: 0 });
  const nobody = passwords.verify('x', null);
  // The one place is taken: proof that the work is done for an unknown member too.
  await expect(passwords.verify('x', null)).rejects.toThrow(/Too many/);
  expect(await nobody).toBe(false);
});

it('refuses beyond its queue and works on afterwards', async () => {
  const passwords = createPasswords({ cost: 2 ** 15, atOnce: 1, waiting: 2 });
  const settled = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verify('x', null)));
  expect(settled.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
  ]);
  expect(await passwords.verify('x', null)).toBe(false);
});

it('lets who was here before have every second turn, whatever else waits', async () => {
  const passwords = createPasswords({ cost: 2 ** 10, atOnce: 1, waiting: 6 });
  const order: string[] = [];
  const verify = (name: string, isKnown: boolean) => passwords.verify('x', null, isKnown).then(() => order.push(name));
  const others = Array.from({ length: 7 }, (_, i) => verify(`o${i}`, false));
  await expect(passwords.verify('x', null)).rejects.toThrow(/Too many/);
  // Their room is their own, and bounded as well.
  const known = Array.from({ length: 6 }, (_, i) => verify(`k${i}`, true));
  await expect(passwords.verify('x', null, true)).rejects.toThrow(/Too many/);
  await Promise.all([...others, ...known]);
  expect(order.join(' ')).toBe('o0 k0 o1 k1 o2 k2 o3 k3 o4 k4 o5 k5 o6');
});

it('makes first passwords of 20 characters that cannot be mistaken', () => {
  const made = Array.from({ length: 200 }, readablePassword);
  expect(new Set(made).size).toBe(200);
  for (const password of made) expect(password).toMatch(/^[a-km-zA-HJ-NP-Z2-9]{20}$/);
});
