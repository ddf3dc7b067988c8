import type { AgentInstance } from '../../common/model/instance.ts';
import type { Command, JobReport } from '../../common/wire/link.ts';
import type { ServedCommands, ServedEvent, ServedHypervisor } from '../../node-agent/serve/ports.ts';

/** A hypervisor whose instances a test moves. */
export function standInHypervisor(count: number) {
  const handlers = new Set<(event: ServedEvent) => void>();
  const instances = new Map<string, AgentInstance>();
  for (let i = 0; i < count; i += 1) {
    const id = `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
    const disks = [{ target: 'vda', source: `/var/lib/${i}.qcow2`, device: 'disk', format: 'qcow2' }];
    const rest = { vcpus: 2, memoryBytes: 2 ** 30, autostart: false, persistent: true, disks };
    instances.set(id, { id, name: `vm${i}`, state: 'running', ...rest });
  }
  let listed = true;
  const served: ServedHypervisor = {
    facts: () => ({
      name: 'host',
      cpus: 4,
      memoryBytes: 2 ** 33,
      hypervisor: { driver: 'test', uri: 'test:///default' },
      libvirtAnswers: true,
    }),
    load: () => null,
    instances: () => [...instances.values()],
    instance: (id) => instances.get(id),
    listed: () => listed,
    on(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
  return {
    ...served,
    map: instances,
    setListed: (is: boolean) => {
      listed = is;
    },
    tell: (event: ServedEvent) => {
      for (const handler of handlers) handler(event);
    },
  };
}

/** Commands that do nothing until a test ends them. */
export function standInCommands() {
  const handlers = new Set<(report: JobReport) => void>();
  const reports = new Map<string, JobReport>();
  const acked = new Set<string>();
  const cancelled: string[] = [];
  let refusal: Error | null = null;
  const served: ServedCommands = {
    submit({ opId, verb, instance }: Command) {
      if (refusal !== null) throw refusal;
      const known = reports.get(opId);
      const blank = { progress: null, startedMs: 1, endedMs: null, error: null, result: null };
      const report: JobReport = known ?? { opId, verb, instance, state: 'running', final: false, ...blank };
      reports.set(opId, report);
      return report;
    },
    cancel: (opId) => cancelled.push(opId) > 0,
    report: (opId) => reports.get(opId),
    unacked: () => [...reports.values()].filter(({ opId }) => !acked.has(opId)),
    acked: (opId) => void acked.add(opId),
    on(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
  return {
    ...served,
    cancelled,
    ackedIds: acked,
    refuse: (error: Error | null) => {
      refusal = error;
    },
    end(opId: string) {
      const report: JobReport = { ...reports.get(opId)!, state: 'done', final: true, endedMs: 2 };
      reports.set(opId, report);
      for (const handler of handlers) handler(report);
    },
  };
}
