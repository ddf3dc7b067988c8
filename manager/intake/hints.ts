import type { Bus } from '../bus/bus.ts';

/** Gathers hints of one turn of the event loop, so that an object that changed ten times is told once. */
export function createHints(bus: Bus) {
  const hosts = new Set<string>();
  const samples = new Set<string>();
  const instances = new Map<string, string>();
  const gone = new Map<string, string>();
  let scheduled = false;

  function flush(): void {
    scheduled = false;
    const [h, s, i, g] = [[...hosts], [...samples], [...instances], [...gone]];
    for (const set of [hosts, samples, instances, gone]) set.clear();
    for (const id of h) bus.emit('host', { id });
    for (const [id, host] of g) bus.emit('instance-gone', { id, host });
    for (const [id, host] of i) bus.emit('instance', { id, host });
    for (const host of s) bus.emit('samples', { host });
  }

  function soon(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  return {
    host(id: string): void {
      hosts.add(id);
      soon();
    },
    instance(id: string, host: string): void {
      gone.delete(id);
      instances.set(id, host);
      soon();
    },
    gone(id: string, host: string): void {
      instances.delete(id);
      gone.set(id, host);
      soon();
    },
    samples(host: string): void {
      samples.add(host);
      soon();
    },
  };
}
