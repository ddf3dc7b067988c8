import type { Hypervisor } from '../libvirt/hypervisor.ts';
import { readSerialPort } from './serial-port.ts';

const READ_MS = 5_000;

/** What the source of whole-life consoles asks of libvirt: see `ConsoleInstances` there. */
export function consoleInstances(hypervisor: Pick<Hypervisor, 'instances' | 'listed' | 'on' | 'run' | 'facts'>) {
  return {
    instances: hypervisor.instances,
    listed: hypervisor.listed,
    on: (handler: () => void) =>
      hypervisor.on(({ t }) => {
        if (t === 'instance' || t === 'gone' || t === 'relisted') handler();
      }),
    async logFile(id: string) {
      // libvirt's test driver has no consoles.
      if (hypervisor.facts().hypervisor.driver === 'test') return { present: false, logFile: null };
      const said = await hypervisor.run(['dumpxml'], id, { deadlineMs: READ_MS }).catch(() => null);
      if (said === null || said.ended !== 'exit' || said.code !== 0) return undefined;
      return readSerialPort(said.stdout);
    },
  };
}
