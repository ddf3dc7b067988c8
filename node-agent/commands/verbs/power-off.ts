import { OFF, only, type Verb } from './verb.ts';

export const shutdown: Verb = {
  name: 'shutdown',
  words: ['shutdown'],
  timeoutMs: 30_000,
  reached: ({ state }) => OFF.includes(state),
  alreadyText: 'It is off already.',
  refusal: only(
    ['running', 'shutting-down', 'unknown'],
    'a guest that does not run cannot switch itself off. Resume it first, or force it off.',
  ),
  waitOffMs: 120_000,
  emergency: true,
};

export const forceOff: Verb = {
  name: 'force-off',
  words: ['destroy'],
  timeoutMs: 30_000,
  // A machine that crashed and was kept still has a process; libvirt's reason tells it from one that is gone.
  reached: ({ state, stateReason }) => OFF.includes(state) && stateReason !== 'panicked',
  alreadyText: 'It is off already.',
  refusal: () => null,
  preempts: ['shutdown'],
  emergency: true,
};

export const save: Verb = {
  name: 'save',
  words: ['managedsave'],
  timeoutMs: 900_000,
  reached: ({ state }) => state === 'saved',
  alreadyText: 'It is saved already.',
  refusal: only(['running', 'paused'], 'only a running or paused instance has a state to save.'),
  abortWords: ['domjobabort'],
};
