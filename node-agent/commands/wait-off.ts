import type { CommandHypervisor } from './command-hypervisor.ts';
import { OFF } from './verbs/verb.ts';

/**
 * Waits until an instance is off or gone. Hears of it by the hypervisor's events, so a guest that is switched on again
 * at once counts as off too. Time is monotonic.
 */
export function waitOff(
  hypervisor: CommandHypervisor,
  id: string,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<'off' | 'timeout' | 'aborted'> {
  return new Promise((resolve) => {
    const isOff = () => {
      const instance = hypervisor.instance(id);
      return hypervisor.facts().libvirtAnswers && (instance === undefined || OFF.includes(instance.state));
    };
    const end = (why: 'off' | 'timeout' | 'aborted') => {
      clearTimeout(timer);
      off();
      options.signal.removeEventListener('abort', onAbort);
      resolve(why);
    };
    const onAbort = () => end('aborted');
    const timer = setTimeout(() => end('timeout'), options.timeoutMs);
    const off = hypervisor.on((event) => {
      if (event.t !== 'samples' && isOff()) end('off');
    });
    options.signal.addEventListener('abort', onAbort);
    if (options.signal.aborted) onAbort();
    else if (isOff()) end('off');
  });
}
