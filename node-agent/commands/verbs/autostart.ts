import type { Verb } from './verb.ts';

const persistentOnly: Verb['refusal'] = ({ persistent }) =>
  persistent ? null : 'The instance is transient: it has no definition on the host that could be started with it.';

export const autostartOn: Verb = {
  name: 'autostart-on',
  words: ['autostart'],
  timeoutMs: 15_000,
  reached: ({ autostart }) => autostart,
  alreadyText: 'It starts with its host already.',
  refusal: persistentOnly,
};

export const autostartOff: Verb = {
  name: 'autostart-off',
  words: ['autostart', '--disable'],
  timeoutMs: 15_000,
  reached: ({ autostart }) => !autostart,
  alreadyText: 'It is already left off when its host starts.',
  refusal: persistentOnly,
};
