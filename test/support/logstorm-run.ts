import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { Line } from '../../common/model/line.ts';
import { openLineStore } from '../../manager/store/duckdb/open.ts';
import { createIdentities } from './agent-identity.ts';
import type { RoadOrder } from './line-road-child.ts';
import type { AgentOrder } from './logstorm-agent.ts';
import { check, createBooks, enter } from './logstorm-check.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** So long the second program has to reach its own point of death, when the first is dead. */
const AFTER_FIRST_MS = 150;

/** Both programs of the storm as files that node runs; their packages are found from there. */
export async function buildLogstorm(): Promise<{ agent: string; manager: string; remove(): void }> {
  const folder = join(ROOT, '.cache', 'test');
  mkdirSync(folder, { recursive: true });
  const made = (name: string) => join(folder, `logstorm-${name}-${process.pid}.mjs`);
  for (const name of ['agent', 'manager']) {
    await build({
      ...{ entryPoints: [join(ROOT, `test/support/logstorm-${name}.ts`)], outfile: made(name), bundle: true },
      ...{ platform: 'node', format: 'esm', packages: 'external', logLevel: 'error', target: 'node20' },
    });
  }
  const files = { agent: made('agent'), manager: made('manager') };
  return { ...files, remove: () => Object.values(files).forEach((file) => void rmSync(file, { force: true })) };
}

/**
 * One round: where each program dies; null: it is killed by us once the other one has died. Both null: both live until
 * all is stored.
 */
export interface StormRound {
  agent: string | null;
  manager: { at: string; pass: number } | null;
  /** No manager is there: the agent says all of its lines, and is killed then. */
  away?: boolean;
  /** Lines that the agent has to say in this round. */
  lines?: number;
}

export interface StormOptions {
  programs: { agent: string; manager: string };
  rounds: readonly StormRound[];
  /** Lines that the agent has to say in each round. */
  lines: number;
  /** Most lines that wait in the spool. */
  capLines?: number;
  /** At most so long for a round; then both are killed as they are. Milliseconds. */
  limitMs: number;
  /** What the programs have in their environment, whose files lie in this folder. */
  envOf?(dir: string): Record<string, string>;
  /** What the programs cry on their stderr is expected. */
  isSilent?: boolean;
  /** Everything is dead: the files in this folder may be changed. */
  between?(round: number, dir: string, agent: string): void | Promise<void>;
  onRound?(round: number, ended: { agent: string; manager: string }): void;
}

export interface StormOutcome {
  /** Empty: nothing was lost, doubled, reordered, altered or told wrongly. */
  faults: string[];
  spooled: number;
  stored: number;
  /** Numbers that are declared as gaps. */
  missing: number;
  /** The gaps themselves, of the agent. */
  gaps: { epoch: string; from: number; to: number; reason: string }[];
  seenLive: number;
  kills: number;
}

/** Kills agent and manager again and again while lines are on their way, then lets both live until all is stored. */
export async function runLogstorm({
  programs,
  rounds,
  lines,
  limitMs,
  capLines,
  envOf,
  isSilent,
  between,
  onRound,
}: StormOptions): Promise<StormOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-logstorm-'));
  const identities = await createIdentities();
  const identity = await identities.agent();
  const port = await freePort();
  const books = createBooks();
  let kills = 0;

  function start(program: string, order: unknown, onSaid: (said: { t: string }) => void) {
    const child = spawn(process.execPath, [program, JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', isSilent ? 'ignore' : 'inherit'],
      env: { ...process.env, ...envOf?.(dir) },
    });
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (text) => {
      // The line that the kill cut in two says nothing.
      if (!text.endsWith('}')) return;
      const said = JSON.parse(text);
      enter(books, said);
      onSaid(said);
    });
    const ended = new Promise<string>((done) => child.on('close', (code, signal) => done(signal ?? String(code))));
    return { child, ended };
  }
  const agentOrder = (run: number, count: number, fail: string | null): AgentOrder => ({
    ...{ path: join(dir, 'spool.sqlite'), identity, port, run: `r${run}`, lines: count },
    ...(fail === null ? {} : { fail }),
    ...(capLines === undefined ? {} : { capLines }),
  });
  const managerOrder = (kill: StormRound['manager']): RoadOrder => ({
    ...{ dir, tls: identities.link, agent: { id: identity.id, port }, kill, checkpointBytes: 4 * 1024 ** 2 },
  });
  const end = (child: ChildProcess) => void child.kill('SIGKILL');

  try {
    for (const [i, round] of rounds.entries()) {
      if (round.away) {
        const alone = start(programs.agent, { ...agentOrder(i, lines, round.agent), early: true }, ({ t }) => {
          if (t === 'written') end(alone.child);
        });
        const how = await alone.ended;
        kills += 1;
        onRound?.(i, { agent: how, manager: 'away' });
        continue;
      }
      const isQuiet = round.agent === null && round.manager === null;
      const agent = start(programs.agent, agentOrder(i, round.lines ?? lines, round.agent), ({ t }) => {
        if (isQuiet && t === 'drained') end(agent.child);
      });
      const manager = start(programs.manager, managerOrder(round.manager), () => undefined);
      const limit = setTimeout(() => {
        end(agent.child);
        end(manager.child);
      }, limitMs);
      // The first death leaves the other one a while for its own, if it is to have one.
      void agent.ended.then(() => setTimeout(end, round.manager === null ? 0 : AFTER_FIRST_MS, manager.child));
      void manager.ended.then(() => setTimeout(end, round.agent === null ? 0 : AFTER_FIRST_MS, agent.child));
      const ended = { agent: await agent.ended, manager: await manager.ended };
      clearTimeout(limit);
      kills += Object.values(ended).filter((how) => how === 'SIGKILL').length;
      onRound?.(i, ended);
      await between?.(i, dir, identity.id);
    }
    const manager = start(programs.manager, managerOrder(null), () => undefined);
    const drained = new EventEmitter();
    const all = once(drained, 'drained');
    const agent = start(programs.agent, agentOrder(rounds.length, 50, null), ({ t }) => drained.emit(t));
    await Promise.race([all, agent.ended, manager.ended]);
    manager.child.stdin.write('stop\n');
    await manager.ended;
    end(agent.child);
    await agent.ended;
    const { stored, ledger } = await readStored(dir, identity.id);
    const faults = check(books, stored);
    for (const { epoch, next, lines: kept, lost } of ledger)
      if (next !== kept + lost) faults.push(`the ledger of ${epoch} does not add up`);
    const missing = ledger.reduce((sum, { lost }) => sum + lost, 0);
    const gaps = ledger.flatMap(({ epoch, gaps: own }) =>
      own.map(({ from, to, reason }) => ({ epoch, from, to, reason })),
    );
    const seenLive = books.live.size;
    return { faults, spooled: books.spooled.size, stored: stored.length, missing, gaps, seenLive, kills };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function readStored(dir: string, host: string) {
  const store = await openLineStore(join(dir, 'lines.duckdb'));
  const stored: Line[] = [];
  for (let at = 0; ; ) {
    const page = await store.lines.since({ host }, at, 2_000);
    stored.push(...page.lines);
    if (page.lines.length < 2_000) break;
    at = page.lastOrdinal;
  }
  const ledger = await store.lines.ledger(host);
  await store.close();
  return { stored, ledger };
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
