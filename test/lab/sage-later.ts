import type { LabConsole } from './console.ts';
import type { Lab } from './lab.ts';

/**
 * SageMath may be installed while the lab is up: the program that started us says so, and the compute servers are started
 * again, one after the other, to load it.
 */
export function followSage(running: LabConsole, lab: Lab): void {
  if (process.channel === undefined) return;
  process.on('message', (message) => {
    if ((message as { installed?: string }).installed !== 'sagemath') return;
    void (async () => {
      for (const host of lab.hosts) if (running.computes.has(host.name)) await running.startCompute(host);
      console.log('The compute servers of the lab have been started again; the kernel "sage" appears in some seconds.');
    })().catch((error: Error) => console.error(error.message));
  });
  // Listening to it must not keep this process alive.
  process.channel?.unref();
}
