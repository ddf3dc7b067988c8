import type { ChildProcess } from 'node:child_process';
import type { LabHost } from '../lab/host.ts';

/**
 * Watches one instance on two hosts, apart from everything of ours: asks both libvirts in turn, all the time. Counts the
 * times when it surely ran on both: one ran at two looks in a row, and the other at a look in between.
 */
export function observeTwo(hosts: readonly [LabHost, LabHost], id: string) {
  const shells = hosts.map((host) => openShell(host));
  let stopped = false;
  let looks = 0;
  let overlaps = 0;

  async function look(): Promise<void> {
    let before: (string | null)[] = [null, null];
    while (!stopped) {
      const now = [before[0]!, before[1]!];
      for (const side of [0, 1] as const) {
        const state = await shells[side]!.ask(id);
        const other = 1 - side;
        // Between this side's last look and this one the other side was looked at once.
        if (state === 'running' && before[side] === 'running' && now[other] === 'running') overlaps += 1;
        now[side] = state!;
        before = [...now];
      }
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  const looking = look();
  return {
    overlaps: () => overlaps,
    looks: () => looks,
    async stop() {
      stopped = true;
      await looking;
      for (const shell of shells) shell.close();
    },
  };
}

/** One virsh that stays open; opened anew when its libvirt or its host has gone. A host that gives no answer is null. */
function openShell(host: LabHost) {
  let child: ChildProcess | null = null;
  let text = '';
  let heard: () => void = () => undefined;
  let count = 0;

  function open(): ChildProcess {
    const made = host.spawn(['virsh', '-q']);
    text = '';
    made.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      heard();
    });
    made.stdin?.on('error', () => undefined);
    made.on('error', () => undefined);
    made.on('exit', () => {
      if (child === made) child = null;
      heard();
    });
    return made;
  }

  return {
    async ask(id: string): Promise<string | null> {
      try {
        child ??= open();
      } catch {
        return null;
      }
      const mine = child;
      const mark = `mark${++count}z`;
      text = '';
      mine.stdin?.write(`domstate --domain ${id}\necho ${mark}\n`);
      const answered = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), 1_500);
        heard = () => {
          const whole = text.replaceAll(`echo ${mark}`, '').includes(mark);
          if (!whole && child === mine) return;
          clearTimeout(timer);
          resolve(whole);
        };
      });
      if (!answered) {
        child = null;
        mine.kill('SIGKILL');
        return null;
      }
      return /^(running|paused|shut off|in shutdown|crashed)$/m.exec(text)?.[1] ?? null;
    },
    close() {
      child?.kill('SIGKILL');
    },
  };
}
