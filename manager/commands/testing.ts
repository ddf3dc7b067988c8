import type { Job } from '../../common/model/job.ts';
import type { JobReport, ManagerMessage } from '../../common/wire/link.ts';
import { createBus } from '../bus/bus.ts';
import type { JobStore } from '../store/ports.ts';
import { COMMANDS_DEFAULTS, type Commands, createCommands } from './commands.ts';
import type { CommandInventory, DispatchRequest } from './ports.ts';

export const VM = '11111111-1111-4111-8111-111111111111';
export const OTHER = '22222222-2222-4222-8222-222222222222';
export const START: DispatchRequest = {
  verb: 'start',
  instance: VM,
  args: {},
  opId: 'op-12345678',
  actor: 'admin@localhost',
};

/** What commands stand in, for their tests: two hosts, and a clock that is moved by hand. */
export function createWorld(jobs: JobStore) {
  const online = new Set(['h1', 'h2']);
  const sent: { host: string; message: ManagerMessage }[] = [];
  const busy = new Map<string, string | null>();
  const lines: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  let clockMs = 1_000;
  const bus = createBus((error) => {
    throw error;
  });
  const instances: Record<string, string> = { [VM]: 'h1', [OTHER]: 'h2' };
  const inventory = {
    host: (id) => (id === 'h1' || id === 'h2' ? { id, name: `name-${id}`, clockOffsetMs: 5_000 } : null),
    instance: (id) =>
      instances[id] === undefined
        ? null
        : { id, name: 'web1', host: instances[id], hostName: 'name', busyJob: busy.get(id) ?? null },
    setBusy: (id, job) => void busy.set(id, job),
  } as CommandInventory;
  const log = (level: string) => (message: string, fields: Record<string, unknown>) =>
    lines.push({ level, message, fields });
  const deps = {
    jobs,
    inventory,
    link: {
      connected: (host: string) => online.has(host),
      send: (host: string, message: ManagerMessage) => online.has(host) && sent.push({ host, message }) > 0,
    },
    bus,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    nowMs: () => 1_700_000_000_000 + clockMs,
    monotonicMs: () => clockMs,
  };
  const config = { ...COMMANDS_DEFAULTS, sweepMs: 5 };
  let commands: Commands = createCommands(config, deps);
  commands.start();
  return {
    ...{ online, sent, busy, lines, bus, instances, deps },
    get commands() {
      return commands;
    },
    restart() {
      commands.stop();
      busy.clear();
      commands = createCommands(config, deps);
      commands.start();
    },
    passMs: (ms: number) => {
      clockMs += ms;
    },
    commandsSent: () => sent.flatMap(({ message }) => (message.t === 'command' ? [message.command] : [])),
    report: (state: JobReport['state'], more: Partial<JobReport> = {}, host = 'h1') =>
      commands.onReport(host, {
        ...{ opId: 'op-12345678', verb: 'start', instance: VM, state, final: state !== 'running', progress: null },
        ...{ startedMs: null, endedMs: null, error: null, result: null },
        ...more,
      }),
    /** Resolves when the job is told to be in the state. */
    becomes: (id: string, state: Job['state']) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (commands.get(id)?.state !== state) return;
          stop();
          resolve();
        };
        const stop = bus.on('job', look);
        look();
      }),
    stop: () => commands.stop(),
  };
}
