import { WebvirtError } from '../../common/errors.ts';
import type { Log } from './log.ts';
import type { ShellAnswer } from './virsh-answer.ts';
import type { VirshChildren } from './virsh-children.ts';
import { createVirshShell, type VirshShell } from './virsh-shell.ts';

const IDLE_MS = 10_000;

/**
 * A second virsh that stays open, for reads that may hang with one instance (the state of its migration): the shell on
 * which the whole list depends must not wait behind them. Opened by the first question, closed when nobody asks.
 */
export function createSideShell(
  config: { uri: string; deadlineMs: number },
  deps: { children: VirshChildren; log: Log },
): { ask(words: readonly string[], deadlineMs?: number): Promise<ShellAnswer>; stop(): void } {
  let open: { shell: VirshShell; up: Promise<void> } | null = null;
  let idle: NodeJS.Timeout | undefined;
  let asking = 0;

  function close(): void {
    clearTimeout(idle);
    open?.shell.stop();
    open = null;
  }

  function opened(): NonNullable<typeof open> {
    if (open !== null) return open;
    let shell: VirshShell | null = null;
    const up = new Promise<void>((resolve, reject) => {
      const made = createVirshShell({ ...config, connectDeadlineMs: config.deadlineMs }, deps, {
        onUp: resolve,
        // It is not opened again by itself: the next question does that, when there is one.
        onDown({ reason }) {
          made.stop();
          if (open?.shell === made) open = null;
          reject(new WebvirtError('libvirt-unavailable', `libvirt does not answer: ${reason}`));
        },
      });
      shell = made;
      made.start();
    });
    up.catch(() => undefined);
    open = { shell: shell!, up };
    return open;
  }

  return {
    async ask(words, deadlineMs) {
      clearTimeout(idle);
      asking += 1;
      try {
        const { shell, up } = opened();
        await up;
        return await shell.ask(words, deadlineMs);
      } finally {
        asking -= 1;
        if (asking === 0) {
          clearTimeout(idle);
          idle = setTimeout(close, IDLE_MS);
          idle.unref();
        }
      }
    },
    stop: close,
  };
}
