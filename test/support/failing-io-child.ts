// One part of the road under a disk whose every n-th call fails: see failing-io.ts. One outcome a line on stdout.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createSpool, type Spool } from '../../logging/spool/spool.ts';
import { batchOf, numbered } from '../../manager/store/batch-of.testing.ts';
import { openLineStore } from '../../manager/store/duckdb/open.ts';
import type { StoredJob } from '../../manager/store/ports.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';
import { type IoFault, type IoOrder, type IoOutcome, openIoControl } from './failing-io.ts';
import { createLedger } from './storm-ledger.ts';

const order = JSON.parse(process.argv[2] ?? 'null') as IoOrder;
const control = openIoControl(order.control);

type Tried = Pick<IoOutcome, 'told' | 'faults'>;
const parts = { spool, lines, state };

/** Tries until it is done, as those who use it do; answers how often it was refused. */
async function insisting(work: () => unknown, told: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      told(error);
      // A disk that never answers is healed in the end.
      tries += 1;
      if (tries === LIMIT_TRIES) heal();
    }
  }
}
const LIMIT_TRIES = 12;
let tries = 0;
/** Calls that failed before the disk was healed. */
let failed = 0;

function heal(): void {
  failed += control.failed();
  control.set('none');
}

/** Lines come while calls fail, the agent starts again, lines come; then the disk heals and all is sent. */
async function spool(folder: string, begin: () => void, fault: IoFault): Promise<Tried> {
  const ledger = createLedger();
  let told = 0;
  let written = 0;
  const tell = () => {
    told += 1;
  };
  const open = async (): Promise<Spool> => {
    let opened: Spool | null = null;
    await insisting(() => {
      const config = { path: join(folder, 'spool.sqlite'), capBytes: 64e6, batchMaxLines: 20, now: Date.now };
      opened = createSpool(config, { onTrouble: tell });
    }, tell);
    opened!.onSpooled((frames) => {
      for (const { header, body } of frames) {
        const messages = header.gap === undefined ? JSON.parse(Buffer.from(body).toString()).message : null;
        ledger.spool({ epoch: header.epoch, first: header.first, messages });
      }
    });
    return opened!;
  };
  const write = (to: Spool) => {
    for (let i = 0; i < 60; i += 1, written += 1) {
      to.append({ tsMs: written, level: 'info', source: 'file', message: `0:${written}:${'x'.repeat(written % 900)}` });
      if (i % 6 === 5) to.flush();
    }
  };
  const send = async (from: Spool) => {
    for (const { epoch } of from.epochs())
      for (let more = true; more; ) {
        const at = ledger.cursors.get(epoch) ?? { epoch, next: 0, hash: '0'.repeat(32) };
        await insisting(() => {
          const frames = from.read({ epoch, from: at.next, hash: at.hash }, 20_000);
          for (const { header, body } of frames) ledger.take(header, Buffer.from(body));
          more = frames.length > 0;
        }, tell);
        const acked = ledger.cursors.get(epoch);
        if (acked !== undefined && from.acked(epoch, acked.next, acked.hash) === 'fork') ledger.faults.push('fork');
        from.flush();
      }
  };
  let now = await open();
  write(now);
  begin();
  write(now);
  await send(now);
  write(now);
  now.close();
  now = await open();
  write(now);
  heal();
  now.flush();
  await send(now);
  now.close();
  const faults = ledger.check();
  // A full disk costs the oldest lines, declared; any other fault costs none.
  for (const { from, to, reason } of ledger.gaps)
    if (!['spool-full', 'disk-full'].includes(reason) || fault !== 'ENOSPC') faults.push(`gap ${from}-${to} ${reason}`);
  return { told, faults };
}

/** Batches come and are sent again when they are refused; the file is opened anew; all must be there once. */
async function lines(folder: string, begin: () => void): Promise<Tried> {
  const path = join(folder, 'lines.duckdb');
  let told = 0;
  const tell = () => {
    told += 1;
  };
  let next = 0;
  const options = { threads: 1, sealAfterMs: Infinity, sealLines: Infinity, checkpointBytes: 1, readers: 1 };
  const opened = async () => {
    let store: Awaited<ReturnType<typeof openLineStore>> | null = null;
    await insisting(async () => {
      store = await openLineStore(path, options);
    }, tell);
    return store!;
  };
  let store = await opened();
  const faults: string[] = [];
  const append = async () => {
    const text = 'y'.repeat(3_000);
    await insisting(async () => {
      // As the intake: after a refusal the store itself says where it stands.
      const at = (await store.lines.cursors('a1'))[0]?.next ?? 0;
      if (at < next) faults.push(`acked up to ${next}, stored up to ${at}`);
      next = at;
      const more = numbered(at, 10).map((line) => ({ ...line, message: `${line.message} ${text}` }));
      await store.lines.append([batchOf(at, more)]);
      next = at + 10;
    }, tell);
  };
  await append();
  begin();
  for (let i = 0; i < 4; i += 1) await append();
  await insisting(() => store.seal(), tell);
  await append();
  await store.close().catch(tell);
  store = await opened();
  await append();
  heal();
  // What could not be read at an opening is left out until the next one.
  await store.close();
  store = await opened();
  const found = (await store.lines.since({}, 0, 1e5)).lines.map(({ message }) =>
    Number(/^m(\d+) y+$/.exec(message)?.[1]),
  );
  if (found.length < next || found.some((number, i) => number !== i))
    faults.push(`of ${next} there are ${found.join()}`);
  await store.close();
  return { told, faults };
}

/** Operations are written down, each before it may run: what was taken is there, what was refused is not. */
async function state(folder: string, begin: () => void): Promise<Tried> {
  const path = join(folder, 'webvirt.sqlite');
  let told = 0;
  const tell = () => {
    told += 1;
  };
  const taken = new Set<string>();
  const refused = new Set<string>();
  let store: ReturnType<typeof openStateStore> | null = null;
  const open = () =>
    insisting(() => {
      store = openStateStore(path);
    }, tell);
  await open();
  begin();
  for (let i = 0; i < 30; i += 1) {
    const id = `op-${String(i).padStart(6, '0')}`;
    try {
      store!.jobs.insert(jobOf(id));
      taken.add(id);
    } catch {
      refused.add(id);
      told += 1;
    }
    if (i % 10 !== 9) continue;
    try {
      store!.close();
    } catch {
      told += 1;
    }
    await open();
  }
  heal();
  store!.close();
  await open();
  const there = new Set(store!.jobs.list({ limit: 99 }).map(({ id }) => id));
  store!.close();
  const faults = [...taken].filter((id) => !there.has(id)).map((id) => `taken and lost: ${id}`);
  faults.push(...[...refused].filter((id) => there.has(id)).map((id) => `refused and there: ${id}`));
  return { told, faults };
}

function jobOf(id: string): StoredJob {
  return {
    ...{ id, verb: 'start', state: 'planned', progress: null, instance: 'i1', instanceName: 'web', host: 'h1' },
    ...{ hostName: 'one', actor: 'admin', createdMs: 1, startedMs: null, endedMs: null, error: null, result: null },
    ...{ argsHash: 'x', fence: 1, args: {} },
  };
}

for (const fault of order.faults)
  for (const every of order.every) {
    const folder = join(order.folder, `${fault}-${every}`.replaceAll(' ', '-'));
    mkdirSync(folder);
    tries = 0;
    failed = 0;
    const tried = await parts[order.part](folder, () => control.set(fault, every), fault);
    control.set('none');
    process.stdout.write(`${JSON.stringify({ fault, every, failed, ...tried })}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
process.exit(0);
