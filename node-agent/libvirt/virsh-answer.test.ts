import { expect, test } from 'vitest';
import { cutAnswer, question } from './virsh-answer.ts';

const M = 'wvabc1z';
const echoed = (command: string, body: string, tail = '') =>
  `${command}\n${body}virsh # echo --err ${M}\nvirsh # echo ${M}\n${M}${tail}`;

test('one question is three lines', () => {
  expect(question('list --all', M)).toBe(`list --all\necho --err ${M}\necho ${M}\n`);
});

test('with a readline that repeats its input', () => {
  const out = `virsh # ${echoed('list --all', 'a\nb\n', 'virsh # ')}`;
  expect(cutAnswer(out, `error: ${M}\n`, 'list --all', M)).toEqual({ stdout: 'a\nb\n', stderr: '' });
});

test('without readline, and read only', () => {
  expect(cutAnswer(`virsh > a\nvirsh > virsh > ${M}virsh > `, `error: ${M}\n`, 'list', M)).toEqual({
    stdout: 'a\n',
    stderr: '',
  });
});

test('is not complete before both marks came', () => {
  const whole = echoed('list', 'a\n');
  for (let length = 0; length < whole.length; length += 1)
    expect(cutAnswer(whole.slice(0, length), `error: ${M}\n`, 'list', M)).toBeNull();
  expect(cutAnswer(whole, 'error: no domain\n', 'list', M)).toBeNull();
  expect(cutAnswer(whole, `error: no domain\nerror: ${M}\n`, 'list', M)).toEqual({
    stdout: 'a\n',
    stderr: 'error: no domain',
  });
});

test('a machine named like our prompt changes nothing', () => {
  const body = 'x virsh # \ny virsh # echo z\n';
  expect(cutAnswer(echoed('list', body), `error: ${M}\n`, 'list', M)?.stdout).toBe(body);
});
