import type { Computation } from './computation.ts';
import type { ComputeConfig, ComputeInventory, ComputeLog } from './ports.ts';
import type { Registry } from './registry.ts';
import type { Requests } from './requests.ts';
import type { Servers } from './servers.ts';

/** What time brings: idle sessions are ended, those of lost hosts given up, old ones forgotten. */
export function createSweep(
  config: ComputeConfig,
  deps: {
    registry: Registry;
    requests: Requests;
    servers: Servers;
    inventory: ComputeInventory;
    log: ComputeLog;
    nowMs(): number;
    monotonicMs(): number;
  },
): () => void {
  const { registry, requests, servers, inventory, log, nowMs, monotonicMs } = deps;
  const awaySince = new Map<Computation, number>();

  function endIdle(computation: Computation): void {
    const { record, viewers, touchedMs } = computation;
    if (!record.opened || record.ending !== null || record.openCells.length > 0 || viewers > 0) return;
    const limitMs = servers.of(record.host)?.limits?.idleMs ?? config.idleMs;
    if (monotonicMs() - touchedMs >= limitMs) requests.end(computation, 'idle');
  }

  function giveUp(computation: Computation, hosts: ReadonlySet<string>): void {
    const { host, hostName } = computation.record;
    const since = awaySince.get(computation) ?? monotonicMs();
    awaySince.set(computation, since);
    if (!hosts.has(host))
      registry.die(computation, 'host-gone', `Host ${hostName} does not belong to the fleet any more`);
    else if (monotonicMs() - since >= config.hostGoneMs)
      registry.die(
        computation,
        'host-gone',
        `Host ${hostName} did not answer for ${Math.round(config.hostGoneMs / 3_600_000)} hours`,
      );
  }

  function forgetOld(): void {
    const old: string[] = [];
    let kept = 0;
    let bytes = 0;
    for (const { record, viewers } of registry.all()) {
      if (record.death === null) continue;
      bytes += record.outputBytes;
      const isOld = nowMs() - (record.endedMs ?? 0) >= config.keepMs;
      const isMuch = kept >= config.keepSessions || (kept > 0 && bytes > config.keepBytes);
      if ((isOld || isMuch) && viewers === 0) old.push(record.id);
      else kept += 1;
    }
    // A few at a time: each has up to megabytes of output.
    const now = old.slice(-20);
    if (now.length === 0) return;
    registry.forget(now);
    log.info('Ended computation sessions were forgotten', { sessions: now.length });
  }

  return () => {
    const hosts = new Set(inventory.hosts().map(({ id }) => id));
    for (const computation of registry.live()) {
      if (computation.online) {
        awaySince.delete(computation);
        endIdle(computation);
      } else giveUp(computation, hosts);
    }
    for (const computation of awaySince.keys()) if (computation.record.death !== null) awaySince.delete(computation);
    forgetOld();
  };
}
