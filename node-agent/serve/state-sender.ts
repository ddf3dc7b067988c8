import type { AgentMessage } from '../../common/wire/link.ts';
import type { ServedCommands, ServedEvent, ServedHypervisor } from './ports.ts';

/** The manager's view of a host is never older than this, also while libvirt is frozen and no sample comes. */
const HOST_EVERY_MS = 5_000;

export interface StateSenderDeps {
  hypervisor: ServedHypervisor;
  commands: ServedCommands;
  spool: { waiting(): { lines: number } };
  now(): number;
  send(message: AgentMessage): void;
}

/** Sends state over one link: all of it first, then each change. An event is a hint: the object is read and sent whole. */
export function startStateSender({ hypervisor, commands, spool, now, send }: StateSenderDeps): { stop(): void } {
  const sendHost = () =>
    send({
      t: 'host',
      host: hypervisor.facts(),
      load: hypervisor.load(),
      clockMs: now(),
      spoolLines: spool.waiting().lines,
    });
  const sendAll = () => {
    // Before the first list, an empty one would say that every instance is gone.
    if (hypervisor.listed()) send({ t: 'instances', list: hypervisor.instances() });
  };

  const sendInstance = (id: string) => {
    const instance = hypervisor.instance(id);
    if (instance !== undefined) send({ t: 'instance', instance });
  };

  function onEvent(event: ServedEvent): void {
    if (event.t === 'relisted') sendAll();
    else if (event.t === 'host') sendHost();
    else if (event.t === 'gone') send({ t: 'instance-gone', id: event.id });
    else if (event.t === 'instance') sendInstance(event.id);
    else {
      send({ t: 'samples', tsMs: event.tsMs, list: event.list });
      sendHost();
    }
  }

  sendHost();
  sendAll();
  for (const job of commands.unacked()) send({ t: 'job', job });
  const stops = [hypervisor.on(onEvent), commands.on((job) => send({ t: 'job', job }))];
  const timer = setInterval(sendHost, HOST_EVERY_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}
