import type { SettleStep } from '../../common/wire/migration.ts';
import type { SideName } from './ports.ts';
import type { Side } from './sides.ts';

export interface Step {
  side: SideName;
  step: Exclude<SettleStep, 'expect'>;
}

export interface Ending {
  state: 'done' | 'failed' | 'unknown';
  /** Somebody must come and look. */
  alarm: boolean;
  /** `{source}` and `{target}` stand for the names of the hosts. */
  text: string;
  /** Why nobody can tell: it is decided anew when both hosts answer again. */
  unreachable?: true;
}

/** What is to be done, all of it, and then how the move ended; without an ending both hosts are looked at again. */
export interface Verdict {
  steps: Step[];
  end: Ending | null;
}

export interface Seen {
  source: Side;
  target: Side;
  /** The guest was paused before it moved: then it is not resumed. */
  wasPaused: boolean;
  /** It moved live: if it is off now, it went off in the move. */
  wasLive: boolean;
  /** The target has a definition of its own, so that the source's may go. */
  targetPersistent: boolean;
}

const stays = (text: string): Verdict => ({ steps: [], end: { state: 'failed', alarm: false, text } });
const moved = (text: string): Verdict => ({ steps: [], end: { state: 'done', alarm: false, text } });
const nobodyKnows = (text: string): Verdict => ({ steps: [], end: { state: 'unknown', alarm: true, text } });
const first = (...steps: Step[]): Verdict => ({ steps, end: null });
const at = (side: SideName, step: Step['step']): Step => ({ side, step });

/** Nobody starts it but a person: why it went off may be a reason to look first. */
const lostItsRun: Verdict = {
  steps: [],
  end: {
    state: 'failed',
    alarm: true,
    text: 'It went off in the move and is off on {source}. {target} has nothing of it, so no second one can run: Start on {source} begins it anew from its disk; what it had in memory is lost.',
  },
};

const NEVER_TWO = 'Both sides hold a state of the guest, and which one counts cannot be seen from outside.';

/**
 * The truth table: after any end of a move that is not a clean one, what was seen on both hosts decides, and nothing else:
 * no timeout, no last word of a process that died. At no row does a guest begin to run while another one could.
 */
export function decide(seen: Seen): Verdict {
  const { source, target } = seen;
  if (source === 'unreachable' || target === 'unreachable')
    return {
      steps: [],
      end: {
        state: 'unknown',
        alarm: true,
        unreachable: true,
        text: 'Not both hosts answer, so nobody knows where it runs.',
      },
    };
  if (source === 'odd' || target === 'odd')
    return nobodyKnows('libvirt tells a state of which no rule says what to do.');
  switch (source) {
    case 'running':
      return runningSource(target);
    case 'moving':
      return movingSource(seen);
    case 'paused':
      return pausedSource(target);
    case 'off':
      return offSource(seen);
    case 'absent':
      return goneSource(target);
  }
}

type Known = Exclude<Side, 'unreachable' | 'odd'>;

function runningSource(target: Known): Verdict {
  if (target === 'absent') return stays('It runs on {source} as before.');
  if (target === 'off') return first(at('target', 'undefine'));
  if (target === 'moving') return first(at('target', 'destroy'));
  if (target === 'running')
    return {
      steps: [at('source', 'pause'), at('target', 'pause')],
      end: { state: 'unknown', alarm: true, text: 'It ran on both hosts at once and was paused on both.' },
    };
  return nobodyKnows(`It runs on {source} and is paused on {target}. ${NEVER_TWO}`);
}

function movingSource({ target, wasPaused }: Seen): Verdict {
  if (target === 'running') return first(at('source', 'destroy'));
  if (target === 'moving') return first(at('target', 'destroy'));
  if (target === 'absent')
    return wasPaused ? stays('It is on {source}, paused as before.') : first(at('source', 'resume'));
  // It was defined there, so it may have run there and have written to its disk.
  if (target === 'off')
    return nobodyKnows(`It is stopped on {source} and off on {target}, where it may have run. ${NEVER_TWO}`);
  return nobodyKnows(`It is paused on both hosts. ${NEVER_TWO}`);
}

function pausedSource(target: Known): Verdict {
  if (target === 'running') return first(at('source', 'destroy'));
  if (target === 'moving') return first(at('target', 'destroy'));
  if (target === 'absent') return stays('It is on {source}, where it is paused.');
  return nobodyKnows(`It is paused on {source} and ${target} on {target}. ${NEVER_TWO}`);
}

function offSource({ target, targetPersistent, wasLive }: Seen): Verdict {
  if (target === 'absent') return wasLive ? lostItsRun : stays('It is off on {source}: start it there.');
  if (target === 'off') return first(at('target', 'undefine'));
  if (target === 'moving') return first(at('target', 'destroy'));
  if (!targetPersistent)
    return nobodyKnows('It runs on {target} without a definition of its own, and is off on {source}.');
  return first(at('source', 'undefine'));
}

function goneSource(target: Known): Verdict {
  if (target === 'running') return moved('It runs on {target}.');
  if (target === 'paused') return moved('It is on {target}, where it is paused.');
  if (target === 'off') return moved('It is on {target}, where it is off.');
  if (target === 'moving') return nobodyKnows('It has left {source} and has not begun on {target}.');
  return nobodyKnows('Neither host has it any more.');
}
