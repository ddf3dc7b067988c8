import { only, type Verb } from './verb.ts';

/** Asks the guest to reboot: whether it does cannot be seen from outside. */
export const reboot: Verb = {
  name: 'reboot',
  words: ['reboot'],
  timeoutMs: 30_000,
  refusal: only(['running'], 'only a running guest can reboot.'),
};

export const reset: Verb = {
  name: 'reset',
  words: ['reset'],
  timeoutMs: 30_000,
  refusal: only(['running', 'paused', 'crashed'], 'there is nothing to reset. Start it instead.'),
};

export const pause: Verb = {
  name: 'pause',
  words: ['suspend'],
  timeoutMs: 30_000,
  reached: ({ state }) => state === 'paused',
  alreadyText: 'It is paused already.',
  refusal: only(['running'], 'only a running instance can be paused.'),
};

export const resume: Verb = {
  name: 'resume',
  words: ['resume'],
  timeoutMs: 30_000,
  reached: ({ state }) => state === 'running',
  alreadyText: 'It runs already.',
  refusal: only(['paused'], 'only a paused instance can be resumed. Start it instead.'),
};
