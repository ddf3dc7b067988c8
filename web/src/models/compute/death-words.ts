import type { Death } from '../../../../common/model/compute.ts';

/** What ended a session, in words, and what to do about it. The proof is the death's own text. */
const WORDS: Record<Death['cause'], [title: string, advice: string]> = {
  terminated: ['Stopped', 'Somebody stopped it.'],
  'out-of-memory': ['Out of memory', 'Use less at a time, or ask an admin for a larger limit.'],
  'cell-time': ['A cell ran too long', 'Split the work, or ask an admin for a longer limit.'],
  idle: ['Ended for being idle', 'Nothing ran and nobody watched. Restart it to go on.'],
  'life-time': ['Reached its longest life', 'Restart it to go on.'],
  crash: ['Crashed', 'The interpreter itself died; its last words are in the lines of this session.'],
  exit: ['Ended itself', 'The code asked for it (exit, quit).'],
  'output-limit': ['Wrote too much', 'Print less, or only the end of it.'],
  refused: ['Could not begin', 'The compute server of the host took no session; its page tells why.'],
  'server-gone': ['The compute server ended', 'It starts again by itself; restart the session to go on.'],
  'agent-gone': ['The agent ended', 'The compute server kills its sessions when its agent goes. Restart it to go on.'],
  'host-gone': ['The host went away', 'It restarted, or lost its power. Restart the session on another host.'],
};

/** Title and advice for a cause of death; an unknown one is shown as it is. */
export function deathWords(death: Death): { title: string; advice: string } {
  const [title, advice] = Object.hasOwn(WORDS, death.cause) ? WORDS[death.cause] : [death.cause, ''];
  return { title, advice };
}
