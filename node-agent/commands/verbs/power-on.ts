import { OFF, only, type Verb } from './verb.ts';

/** Boots, or brings a saved machine back: virsh does both by the same word. */
export const start: Verb = {
  name: 'start',
  words: ['start'],
  timeoutMs: 120_000,
  reached: ({ state }) => state === 'running',
  alreadyText: 'It runs already.',
  refusal: only(['unknown', ...OFF], 'resume it, or wait until it is off.'),
};

export const restore: Verb = {
  name: 'restore',
  words: ['start'],
  timeoutMs: 600_000,
  reached: ({ state }) => state === 'running',
  alreadyText: 'It runs already.',
  refusal: only(['saved'], 'there is no saved state to restore. Start it instead.'),
};
