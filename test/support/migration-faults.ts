import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../common/model/job.ts';
import type { LabHost } from '../lab/host.ts';
import type { MigrationCloud } from './migration-cloud.ts';
import { observeTwo } from './two-host-observer.ts';

const MIB = 1024 * 1024;

/** Numbers that look random and are the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Faulted {
  job: Job;
  source: LabHost;
  target: LabHost;
  /** What both libvirts say afterwards. */
  onSource: string | null;
  onTarget: string | null;
  overlaps: number;
}

let count = 0;

/** A dead peer is noticed in seconds, not in half a minute. */
export async function hastenKeepalive(hosts: readonly LabHost[]): Promise<void> {
  for (const host of hosts) {
    appendFileSync(join(host.dir, 'etc-libvirt/qemu.conf'), 'keepalive_interval = 1\nkeepalive_count = 2\n');
    await host.restartLibvirt();
  }
}

/** Fulfilled when libvirt of the source has stopped the guest to hand it over. */
function handsOver(host: LabHost, id: string): { reached: Promise<void>; stop(): void } {
  const child = host.spawn(['virsh', '-q', 'event', '--event', 'lifecycle', '--loop', '--domain', id]);
  const reached = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Suspended Migrated')) resolve();
    });
  });
  child.on('error', () => undefined);
  return { reached, stop: () => void child.kill('SIGKILL') };
}

/**
 * Moves the guest and strikes at the moment that the seed picks: 1 at the begin, 2 while memory is copied, 3 at the
 * hand-over. `strike` does the damage, `mend` ends it. Resolves when the job has ended, with what is true then.
 */
export async function faultedMove(
  world: MigrationCloud,
  seed: number,
  of: { id: string; source: LabHost; target: LabHost },
  strike: (job: string) => Promise<unknown>,
  mend: () => Promise<unknown> = async () => undefined,
): Promise<Faulted> {
  const { id, source, target } = of;
  const rnd = random(seed);
  const opId = `fault-${process.pid}-${++count}-s${seed}`;
  const observer = observeTwo([source, target], id);
  const over = handsOver(source, id);
  try {
    const asked = await world.move(id, target, { opId, maxRateBps: 32 * MIB });
    if (asked.status !== 202) throw new Error(`the move was refused: ${asked.body.err}`);
    if (seed === 1) await new Promise((resolve) => setTimeout(resolve, rnd() * 300));
    else if (seed === 2) {
      const part = 0.1 + 0.7 * rnd();
      await world.job(opId, (job) => (job.progress ?? 0) >= part || !['planned', 'running'].includes(job.state));
    } else await Promise.race([over.reached, world.outcome(opId)]);
    await strike(opId);
    await mend();
    const job = await world.outcome(opId);
    const [onSource, onTarget] = await Promise.all([world.truth(source, id), world.truth(target, id)]);
    return { job, source, target, onSource, onTarget, overlaps: observer.overlaps() };
  } finally {
    over.stop();
    await observer.stop();
  }
}

/** What must hold after every fault: on one host at most, and the job says the truth about where. */
export function untrue({ job, onSource, onTarget, overlaps }: Faulted): string[] {
  const wrong: string[] = [];
  if (overlaps > 0) wrong.push(`it ran on both hosts at once (${overlaps} looks)`);
  if (onSource === 'running' && onTarget === 'running') wrong.push('it runs on both hosts');
  if (job.state === 'done' && !(onTarget === 'running' && onSource === null))
    wrong.push(`done, but ${onSource} on the source and ${onTarget} on the target`);
  if (job.state === 'failed' && !(onTarget === null && onSource !== null))
    wrong.push(`failed, but ${onSource} on the source and ${onTarget} on the target`);
  if (!['done', 'failed'].includes(job.state)) wrong.push(`the job ended as ${job.state}: ${job.error?.message}`);
  return wrong;
}
