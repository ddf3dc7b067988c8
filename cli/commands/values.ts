import { randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import { parseDuration, parseSize } from '../../common/pure/config/quantity.ts';
import type { CliCall } from './command.ts';

/** Text of a flag; undefined when it was not given. */
export function textFlag(call: CliCall, name: string): string | undefined {
  const value = call.flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws WebvirtError when the flag was not given. */
export function mustFlag(call: CliCall, name: string, usage: string): string {
  const value = textFlag(call, name);
  if (value === undefined) throw new WebvirtError('bad-request', `--${name} is needed. Usage: ${usage}`);
  return value;
}

function parsed(name: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    throw new WebvirtError('bad-request', `--${name} "${text}": ${(error as Error).message}.`);
  }
}

/** Bytes of a flag such as `--memory 256MiB`. */
export function sizeFlag(call: CliCall, name: string): number | undefined {
  const text = textFlag(call, name);
  return text === undefined ? undefined : parsed(name, text, parseSize);
}

/** Milliseconds of a flag such as `--max-downtime 100ms`. */
export function durationFlag(call: CliCall, name: string): number | undefined {
  const text = textFlag(call, name);
  return text === undefined ? undefined : parsed(name, text, parseDuration);
}

/** Milliseconds of a word such as `2h`; `name` is what it is for. */
export function durationWord(name: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new WebvirtError('bad-request', `${name} "${text}": ${(error as Error).message}.`);
  }
}

/** A whole number of at least 1. */
export function countFlag(call: CliCall, name: string): number | undefined {
  const text = textFlag(call, name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new WebvirtError('bad-request', `--${name} takes a whole number from 1, not "${text}".`);
  }
  return Number(text);
}

/** An id of an operation of our own: a request that is sent again is the same operation. */
export const newOpId = () => randomBytes(12).toString('hex');
