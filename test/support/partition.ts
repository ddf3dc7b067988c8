import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinksConfig } from '../../manager/links/ports.ts';
import type { LineStore } from '../../manager/store/ports.ts';
import type { LinkTimes } from '../../node-agent/serve/link.ts';
import { type AgentRig, startAgentRig } from './agent-rig.ts';
import { type FaultyRoad, startFaultyRoad } from './faulty-road.ts';
import { type LineRoad, startLineRoad } from './line-road.ts';

export interface PartitionTimes {
  links: Partial<LinksConfig>;
  agent: LinkTimes;
  /** Absent: nothing is written by itself. */
  writeEveryMs?: number;
  /** Puts something between the road and its store. */
  lines?: (store: LineStore) => LineStore;
}

/** The times of the programs, so much shorter that a test can wait for them. */
export const QUICK_TIMES: PartitionTimes = {
  links: { pingEveryMs: 100, silenceMs: 1_000, handshakeMs: 1_500, firstRetryMs: 20, longestRetryMs: 150 },
  agent: { silenceMs: 1_000, probeMs: 300, checkMs: 50 },
  writeEveryMs: 5,
};

export interface Partition {
  net: FaultyRoad;
  road: LineRoad;
  agent: AgentRig;
  hostState(): string;
  write(message?: string): void;
  /** Resolves when what the agent has said so far is stored. */
  drained(): Promise<void>;
  /** What is wrong with what is stored: empty when each line is there once, in order. */
  faults(): Promise<string[]>;
  written(): number;
  stop(): Promise<void>;
}

/** A true agent's link and a true manager's road of lines with a faulty network between them. */
export async function startPartition({ links, agent: times, writeEveryMs, lines }: PartitionTimes): Promise<Partition> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-partition-'));
  const agent = await startAgentRig({ enrolled: true, times });
  const net = await startFaultyRoad({ port: agent.port });
  const road = await startLineRoad({
    dir,
    tls: { ...agent.link, ca: agent.ca.cert },
    links,
    ...(lines === undefined ? {} : { wrap: lines }),
  });
  const { id } = agent.identity;
  let said = 0;
  const write = (message = '') => {
    agent.spool.append({ tsMs: Date.now(), level: 'info', source: 'file', message: `${said} ${message}` });
    said += 1;
  };
  const writer = writeEveryMs === undefined ? undefined : setInterval(write, writeEveryMs);
  road.enrol(id, '127.0.0.1', net.port);

  const partition: Partition = {
    ...{ net, road, agent, write },
    hostState: () => road.inventory.host(id)?.state ?? 'none',
    written: () => said,
    async drained() {
      agent.spool.flush();
      const { epoch, next } = agent.spool.epochs().at(-1)!;
      const stored = async () => (await road.store.lines.cursors(id)).find((one) => one.epoch === epoch)?.next ?? 0;
      while ((await stored()) < next) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async faults() {
      clearInterval(writer);
      await partition.drained();
      const found: string[] = [];
      let expected = 0;
      for (let from = 0; ; ) {
        const page = await road.store.lines.since({ host: id }, from, 10_000);
        for (const { message } of page.lines) {
          if (Number.parseInt(message, 10) !== expected) found.push(`${expected} was to come, and ${message} came`);
          expected += 1;
        }
        if (page.lines.length === 0) break;
        from = page.lastOrdinal;
      }
      if (expected !== said) found.push(`${said} were said and ${expected} are stored`);
      const { gaps } = road.intake.counters;
      if (gaps > 0) found.push(`${gaps} gaps`);
      return found;
    },
    async stop() {
      clearInterval(writer);
      await road.stop();
      await net.stop();
      await agent.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return partition;
}
