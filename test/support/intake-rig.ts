import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewLine } from '../../common/model/line.ts';
import type { EpochCursor } from '../../common/wire/link.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { type Clocks, createClocks } from '../../manager/intake/clocks.ts';
import { createIntake, INTAKE_DEFAULTS, type Intake, type IntakeConfig } from '../../manager/intake/intake.ts';
import type { IncomingFrame } from '../../manager/intake/ports.ts';
import { openLineStore } from '../../manager/store/duckdb/open.ts';
import type { CommittedBatch, LineStore } from '../../manager/store/ports.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export const A = { agent: 'a'.repeat(32), hostId: 'a'.repeat(32), hostName: 'alpha' };
export const line = (message: string): NewLine => ({ tsMs: 1_000, level: 'info', source: 'agent', message });
export const ack = (spool: EpochCursor) => [{ t: 'ack', epoch: spool.epoch, next: spool.next, hash: spool.hash }];

export type Rig = Awaited<ReturnType<typeof createRig>>;

/** Intake over real stores, with a clock that is moved by hand and a store that can be broken. */
export async function createRig() {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-intake-'));
  const state = openStateStore(join(dir, 'webvirt.sqlite'));
  const store = await openLineStore(join(dir, 'lines.duckdb'));
  const alarms: { message: string; fields: Record<string, unknown> }[] = [];
  const live: CommittedBatch[] = [];
  const rig = {
    ...{
      store,
      alarms,
      live,
      broken: false,
      unsure: false,
      deaf: false,
      /** Awaited by each commit: a store that is slow. */
      gate: Promise.resolve(),
      commits: 0,
      nowMs: 1_000_000,
      monotonicMs: 0,
      clocks: null as Clocks | null,
    },
    intake: null as unknown as Intake,
    /** A manager that starts on these stores. */
    start(config: Partial<IntakeConfig> = {}): void {
      const bus = createBus((error) => {
        throw error;
      });
      bus.on('lines', ({ batches }) => live.push(...batches));
      const say = (message: string, fields: Record<string, unknown>) => void alarms.push({ message, fields });
      const lines: LineStore = {
        ...store.lines,
        async append(batches) {
          rig.commits += 1;
          await rig.gate;
          if (rig.broken) throw new Error('disk full');
          const committed = await store.lines.append(batches);
          // The commit is on the disk, and its answer is an error.
          if (rig.unsure) throw new Error('input/output error');
          return committed;
        },
        cursors: (agent) => (rig.deaf ? Promise.reject(new Error('not open')) : store.lines.cursors(agent)),
      };
      const log = { info: say, warn: say, error: say };
      const deps = { lines, settings: state.settings, bus, log, nowMs: () => rig.nowMs };
      // A start of the manager knows no clocks yet.
      const clocks = createClocks({ nowMs: () => rig.nowMs, monotonicMs: () => rig.monotonicMs });
      rig.clocks = clocks;
      rig.intake = createIntake(
        { ...INTAKE_DEFAULTS, retryMs: 20, ...config },
        { ...deps, clockOffsetMs: clocks.offsetMs },
      );
    },
    accept: (...frames: IncomingFrame[]) => rig.intake.acceptFrames(A, frames),
    stored: async () => (await store.lines.since({ host: A.hostId }, 0, 100_000)).lines,
    messages: async () => (await rig.stored()).map((found) => found.message),
    alarmed: () => alarms.map((alarm) => alarm.message),
    async end(): Promise<void> {
      rig.broken = false;
      await rig.intake.stop();
      await store.close();
      state.close();
      rmSync(dir, { recursive: true });
    },
  };
  rig.start();
  return rig;
}
