import type { AgentInstance } from '../../common/model/instance.ts';
import type { NewLine } from '../../common/model/line.ts';
import { changesXml, eventLine, isHarmless } from './event-line.ts';
import { createHandover } from './handover.ts';
import { type Changes, createInventory } from './inventory.ts';
import type { Log } from './log.ts';
import type { VirshChildren } from './virsh-children.ts';
import type { VirshEvent } from './virsh-event-line.ts';
import { createVirshEvents } from './virsh-events.ts';
import { createVirshShell, type ShellHooks } from './virsh-shell.ts';

export interface ConnectionHooks {
  /** The connection stands and the list is whole. */
  onListed(): void;
  onDown: ShellHooks['onDown'];
  onChanges(changes: Changes): void;
}

/** One libvirt URI: the shell, its events and the instances behind it. */
export function createConnection(
  config: { uri: string; events: boolean; deadlineMs: number; connectDeadlineMs: number },
  deps: {
    children: VirshChildren;
    log: Log;
    emit(line: NewLine): void;
    /** Whether the instance of this name is about to leave or to come. */
    moving?: ((name: string) => boolean) | undefined;
  },
  hooks: ConnectionHooks,
) {
  const shell = createVirshShell(config, deps, { onUp: () => void open(), onDown: lost });
  const inventory = createInventory({ ask: (words) => shell.ask(words) });
  const events = createVirshEvents(config, deps, { onEvents: told, onGap: () => void relist(true) });
  let isListed = false;
  let waiting: VirshEvent[] = [];
  let reading = false;
  const handover = createHandover(deps.moving);

  async function open(): Promise<void> {
    // Events first: what changes while we read is then told afterwards.
    if (config.events) events.start();
    try {
      await inventory.relist(true);
      isListed = true;
      hooks.onListed();
    } catch (error) {
      deps.log.warn('the instances could not be listed', { uri: config.uri, reason: String(error) });
      // Without a list the connection is of no use; the shell tells `up` again when it comes back.
      if (shell.up()) setTimeout(() => shell.up() && !isListed && void open(), 1_000).unref();
    }
  }

  function lost(why: Parameters<ShellHooks['onDown']>[0]): void {
    isListed = false;
    // A frozen daemon keeps the stream of events; one that died ends it. Either way the next list follows `up`.
    if (!why.hung) events.stop();
    hooks.onDown(why);
  }

  function tell(changes: Changes): void {
    if (isListed && (changes.changed.length > 0 || changes.gone.length > 0)) hooks.onChanges(changes);
  }

  /** Reads everything; false when libvirt did not answer. */
  async function relist(whole: boolean): Promise<boolean> {
    if (!isListed) return false;
    try {
      tell(await inventory.relist(whole));
      return true;
    } catch (error) {
      deps.log.debug('a re-list failed', { uri: config.uri, reason: String(error) });
      return false;
    }
  }

  function told(list: VirshEvent[]): void {
    waiting.push(...list);
    handover.heard(list);
    if (!reading) void readTold();
  }

  /** Events that come while we read are read together afterwards. */
  async function readTold(): Promise<void> {
    reading = true;
    while (waiting.length > 0) {
      await handover.calm(waiting);
      const list = waiting;
      waiting = [];
      // The name may be gone after the re-read (undefined, renamed): keep who had it before.
      const before = new Map(list.flatMap((event) => event.readings.map(({ name }) => [name, inventory.idOf(name)])));
      const wanted = new Map<string, { xml: boolean }>();
      for (const { kind, readings } of list) {
        if (isHarmless(kind)) continue;
        for (const { name, detail } of readings)
          wanted.set(name, { xml: changesXml(kind, detail) || wanted.get(name)?.xml === true });
      }
      if (wanted.size > 0 && isListed) await inventory.refreshNames(wanted).then(tell, () => undefined);
      for (const event of list) emitLine(event, before);
    }
    reading = false;
  }

  function emitLine(event: VirshEvent, before: ReadonlyMap<string, string | undefined>): void {
    const known = event.readings.find(
      ({ name }) => before.get(name) !== undefined || inventory.idOf(name) !== undefined,
    );
    const cut = known ?? event.readings[0];
    if (cut === undefined) return;
    const was = before.get(cut.name);
    const is = inventory.idOf(cut.name);
    // Two instances had this name in the same moment: only a removal surely speaks of the earlier one.
    const removed = removal(event, cut);
    // An earlier event may have made us look, and find it gone, before its removal is told.
    const former = removed ? inventory.takeFormer(cut.name) : undefined;
    const instance =
      was === is || is === undefined ? (was ?? former) : was === undefined ? is : removed ? was : undefined;
    deps.emit(eventLine(event, cut, instance));
  }

  return {
    inventory,
    start: () => shell.start(),
    stop() {
      isListed = false;
      events.stop();
      shell.stop();
    },
    relist,
    /** Reads one instance again, now. @throws {WebvirtError} libvirt-unavailable */
    async refresh(id: string, xml: boolean): Promise<AgentInstance | null> {
      const { instance, changes } = await inventory.refresh(id, xml);
      tell(changes);
      return instance;
    },
    ask: shell.ask,
    up: () => shell.up(),
    listed: () => isListed,
  };
}
export type Connection = ReturnType<typeof createConnection>;

function removal(event: VirshEvent, cut: { detail: string }): boolean {
  return event.kind === 'lifecycle' && cut.detail.startsWith('Undefined');
}
