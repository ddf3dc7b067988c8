import { z } from 'zod';
import { WebvirtError } from '../../common/errors.ts';
import { type AgentInstance, uuidSchema } from '../../common/model/instance.ts';
import { type AgentServiceMessage, channelIdSchema, type ManagerServiceMessage } from '../../common/wire/services.ts';
import { createOutlet, OUTLET_DEFAULTS, type Outlet, type OutletConfig } from './outlet.ts';
import { type Bridge, type BridgeConfig, openBridge } from './pty-bridge.ts';
import { readSerialPort, readTail } from './serial-port.ts';
import { hasConsole, NO_PORT, type Why, whyEnded } from './why-ended.ts';

/** What consoles need of libvirt. */
export interface ConsoleHypervisor {
  facts(): { hypervisor: { uri: string } };
  /** Reads one instance now. */
  observe(id: string): Promise<AgentInstance | null>;
  idOf(name: string): string | undefined;
  run(
    words: readonly string[],
    id: string,
    options: { deadlineMs: number },
  ): Promise<{ ended: string; stdout?: string }>;
}

export interface ConsolesConfig extends BridgeConfig {
  limitOpen: number;
  /** virsh says nothing when a console is open: without an error within this time it counts as open. */
  settleMs: number;
  outlet: OutletConfig;
}

export const CONSOLES_DEFAULTS: ConsolesConfig = {
  virshPath: 'virsh',
  pythonPath: 'python3',
  limitOpen: 64,
  settleMs: 250,
  outlet: OUTLET_DEFAULTS,
};

interface Open {
  id: string;
  instance: string;
  bridge: Bridge;
  outlet: Outlet;
  /** True once it is no longer wanted: its end is not told. */
  left: boolean;
  ended: Promise<void>;
}

const argsSchema = z.object({
  id: channelIdSchema,
  instance: uuidSchema,
  force: z.boolean().default(false),
  /** What the guest said before comes first, where libvirt keeps it. */
  backlog: z.boolean().default(false),
});
const RETRY_MS = 100;
const READ_MS = 3_000;

/**
 * The serial consoles of this host: at most one reader per instance, whose bytes go to the manager, and keys that come
 * from there. `open` answers the question `console-open`; `service` carries the rest. With the link all are closed.
 */
export function createConsoles(
  config: ConsolesConfig,
  deps: { hypervisor: ConsoleHypervisor; log: { info(message: string, fields: Record<string, unknown>): unknown } },
) {
  const { hypervisor, log } = deps;
  const byId = new Map<string, Open>();
  /** The log of each open console, and how far it was when one ended: what comes until the next is not lost. */
  const logs = new Map<string, string>();
  const ends = new Map<string, number>();
  let send: ((message: AgentServiceMessage) => void) | null = null;

  const observe = (id: string) => hypervisor.observe(id).catch(() => undefined);

  async function leave(open: Open): Promise<void> {
    open.left = true;
    open.bridge.end();
    await open.ended;
  }

  /** Resolves with null once it counts as open, else with why it is not. */
  function begin(id: string, instance: string, force: boolean, before: Buffer): Promise<Why | null> {
    return new Promise((resolve) => {
      let done: () => void = () => undefined;
      const outlet = createOutlet(config.outlet, (bytes, skipped) =>
        send?.({ t: 'console-data', id, data: bytes.toString('base64'), ...(skipped > 0 ? { skipped } : {}) }),
      );
      let settled = false;
      const settle = (why: Why | null) => {
        clearTimeout(timer);
        settled = true;
        // Only now: bytes mean to the manager that the console is open.
        if (why === null && before.length > 0) outlet.push(before);
        resolve(why);
      };
      const timer = setTimeout(() => settle(null), config.settleMs);
      const { uri } = hypervisor.facts().hypervisor;
      const bridge = openBridge(
        config,
        { uri, id: instance, force },
        {
          onData(bytes) {
            if (!settled) settle(null);
            outlet.push(bytes);
          },
          onEnd(said) {
            void observe(instance).then((now) => {
              byId.delete(id);
              const why = whyEnded(said, now);
              outlet.close();
              if (settled && !open.left) void remember(instance);
              else logs.delete(instance);
              if (settled && !open.left)
                send?.({ t: 'console-end', id, reason: why.reason, ...(why.code === null ? {} : { code: why.code }) });
              if (!settled) settle(why);
              done();
            });
          },
        },
      );
      const ended = new Promise<void>((resolveEnded) => {
        done = resolveEnded;
      });
      const open: Open = { id, instance, bridge, outlet, left: false, ended };
      byId.set(id, open);
    });
  }

  async function open(given: Record<string, unknown>): Promise<Record<string, never>> {
    const parsed = argsSchema.safeParse(given);
    if (!parsed.success) throw new WebvirtError('bad-request', 'A console is opened by the UUID of an instance.');
    const { id, instance, force, backlog } = parsed.data;
    const mine = send;
    const now = await hypervisor.observe(instance);
    if (now === null) throw new WebvirtError('not-found', 'The instance is not on this host.');
    if (!hasConsole(now)) throw new WebvirtError('wrong-state', `The instance is ${now.state}.`);
    // virsh would take the UUID for that name once the instance with the UUID is gone.
    if (hypervisor.idOf(instance) !== undefined)
      throw new WebvirtError('ambiguous', 'Another instance of this host is named like this UUID; rename it first.');
    // One reader: the manager shares it among all who look.
    const older = [...byId.values()].filter((one) => one.instance === instance);
    await Promise.all(older.map(leave));
    if (byId.size >= config.limitOpen)
      throw new WebvirtError('no-capacity', `This host has ${config.limitOpen} consoles open already.`);
    const said = await hypervisor.run(['dumpxml'], instance, { deadlineMs: READ_MS });
    const port = said.ended === 'exit' && said.stdout ? readSerialPort(said.stdout) : null;
    if (port?.present === false) throw new WebvirtError('not-found', NO_PORT);
    const before = await missed(instance, port?.logFile ?? null, backlog);
    if (send !== mine || send === null) throw new WebvirtError('op-cancelled');
    let why = await begin(id, instance, force, before);
    // libvirt takes a moment to let go of a reader that has just gone.
    for (let tries = 0; tries < 3 && why?.code === 'busy' && send === mine; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      why = await begin(id, instance, force, before);
    }
    if (why !== null) throw new WebvirtError(why.code ?? 'wrong-state', why.reason);
    if (force) log.info('A serial console was taken over', { instance });
    return {};
  }

  /** What the guest said that the manager has not seen, where libvirt keeps it: all that is there, or since the last end. */
  async function missed(instance: string, logFile: string | null, backlog: boolean): Promise<Buffer> {
    const seen = ends.get(instance);
    ends.delete(instance);
    if (logFile === null) return Buffer.alloc(0);
    logs.set(instance, logFile);
    if (!backlog && seen === undefined) return Buffer.alloc(0);
    return (await readTail(logFile, backlog ? 0 : seen))?.bytes ?? Buffer.alloc(0);
  }

  /** Remembers how far the log was when a console ended. */
  async function remember(instance: string): Promise<void> {
    const logFile = logs.get(instance);
    logs.delete(instance);
    const tail = logFile === undefined ? null : await readTail(logFile);
    if (tail === null) return;
    ends.set(instance, tail.endByte);
    for (const oldest of ends.keys()) {
      if (ends.size <= config.limitOpen) break;
      ends.delete(oldest);
    }
  }

  function take(message: ManagerServiceMessage): void {
    if (message.t === 'console-input') byId.get(message.id)?.bridge.write(message.data);
    else if (message.t === 'console-ack') byId.get(message.id)?.outlet.taken(message.bytes);
    else if (message.t === 'console-close') {
      const known = byId.get(message.id);
      if (known !== undefined) void leave(known);
    }
  }

  return {
    open,
    service: {
      takes: ['console-input', 'console-ack', 'console-close'] as const,
      attach(toManager: (message: AgentServiceMessage) => void) {
        send = toManager;
        return {
          take,
          detach() {
            if (send === toManager) send = null;
            for (const one of byId.values()) void leave(one);
          },
        };
      },
    },
    /** Gives all consoles back. */
    async stop(): Promise<void> {
      send = null;
      await Promise.all([...byId.values()].map(leave));
    },
  };
}
export type Consoles = ReturnType<typeof createConsoles>;
