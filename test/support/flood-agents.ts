// Agents of the flood soak, in a process of their own: what it costs to send must not be taken for what it costs to store.
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewLine } from '../../common/model/line.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { type FakeAgent, startFakeAgent } from './fake-agent.ts';

/** What the parent asks, one at a time; the answer to each is a `FloodAnswer`. */
export type FloodOrder =
  | { ask: 'start'; identities: AgentIdentity[] }
  | { ask: 'measure'; forMs: number }
  /** `linesPerSecond` is null: as many as it is let. Answered at once. */
  | { ask: 'flood'; linesPerSecond: number | null }
  | { ask: 'quiet' };
export interface FloodAnswer {
  ports?: number[];
  /** How long each line took until it was acked. */
  tookMs?: number[];
  /** Lines that were said so far. */
  said: number;
}

const FRAME_LINES = 2_000;
const TICK_MS = 10;
/** What waits in its own spool, and is not said: a flood that is not taken must not fill this process. */
const LIMIT_WAITING_FRAMES = 60;
/** An agent of the flood says it in turns of these, made once: making them costs nobody anything later. */
const BODIES = 16;

let agents: FakeAgent[] = [];
let said = 0;
let flooding: NodeJS.Timeout | null = null;

const line = (message: string): NewLine => ({ tsMs: Date.now(), level: 'info', source: 'file', message });

async function measure(forMs: number): Promise<number[]> {
  const tookMs: number[] = [];
  const untilMs = performance.now() + forMs;
  await Promise.all(
    agents.map(async (one) => {
      for (let n = 0; performance.now() < untilMs; n += 1) {
        await sleep(50 + Math.random() * 100);
        const startedMs = performance.now();
        one.log([line(`quiet ${n}`)]);
        said += 1;
        await one.acked();
        tookMs.push(performance.now() - startedMs);
      }
    }),
  );
  return tookMs;
}

function flood(linesPerSecond: number | null): void {
  const bodies = Array.from({ length: BODIES }, (_, body) => {
    const builder = new ColumnBuilder();
    for (let n = 0; n < FRAME_LINES; n += 1) builder.add(line(`flood ${body}.${n} of a program that is beside itself`));
    return Buffer.from(JSON.stringify(builder.take()));
  });
  const startedMs = performance.now();
  let frames = 0;
  flooding = setInterval(() => {
    const due = linesPerSecond === null ? Infinity : ((performance.now() - startedMs) / 1_000) * linesPerSecond;
    for (const one of agents) {
      while (one.spool.frames.length < LIMIT_WAITING_FRAMES && frames * FRAME_LINES < due) {
        one.spool.addBody(bodies[frames % BODIES]!, FRAME_LINES);
        frames += 1;
        said += FRAME_LINES;
      }
      one.pump();
    }
  }, TICK_MS);
}

async function answer(order: FloodOrder): Promise<FloodAnswer> {
  if (order.ask === 'start') {
    agents = await Promise.all(order.identities.map((identity) => startFakeAgent({ identity })));
    return { ports: agents.map(({ port }) => port), said };
  }
  if (order.ask === 'measure') return { tookMs: await measure(order.forMs), said };
  if (order.ask === 'flood') flood(order.linesPerSecond);
  else if (flooding !== null) {
    clearInterval(flooding);
    flooding = null;
    for (const one of agents) await one.acked();
  }
  return { said };
}

process.on('message', (order: FloodOrder) => void answer(order).then((told) => process.send?.(told)));
process.on('disconnect', () => process.exit());
