import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';

/**
 * Stops a program where it stands (SIGSTOP), and comes back when none of its threads runs any more: the kernel hands the signal
 * to one of them, and the others go on until that one had its turn. `process.kill(pid, 'SIGCONT')` lets it go on.
 */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  while (!readdirSync(`/proc/${pid}/task`).every((thread) => isStopped(pid, thread))) await rest(1);
}

/** proc(5), `stat`: the state is the first word behind the name, which stands in brackets and may hold some itself. */
function isStopped(pid: number, thread: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] === 'T';
  } catch (thrown) {
    // A thread that has ended meanwhile.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' || (thrown as NodeJS.ErrnoException).code === 'ESRCH')
      return true;
    throw thrown;
  }
}
