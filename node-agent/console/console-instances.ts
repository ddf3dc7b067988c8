import type { Hypervisor } from '../libvirt/hypervisor.ts';
import type { GuestTurns } from './guest-turns.ts';
import { readSerialPort } from './serial-port.ts';

const READ_MS = 5_000;
/** A line of `virsh list --id --uuid`. */
const RUN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(\d+)\s*$/;

/** What the source of whole-life consoles asks of libvirt: see `ConsoleInstances` there. */
export function consoleInstances(
  hypervisor: Pick<Hypervisor, 'instances' | 'listed' | 'on' | 'run' | 'readHost' | 'facts'>,
  turns: Pick<GuestTurns, 'on'>,
) {
  return {
    onTurn: turns.on,
    async runs(): Promise<ReadonlyMap<string, string> | null> {
      if (hypervisor.facts().hypervisor.driver === 'test') return null;
      const said = await hypervisor.readHost(['list', '--id', '--uuid'], { deadlineMs: READ_MS });
      if (said === null) return null;
      const found = said.split('\n').flatMap((line) => {
        const [, id, run] = RUN.exec(line) ?? [];
        return id === undefined || run === undefined ? [] : [[id, run] as const];
      });
      return new Map(found);
    },
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
