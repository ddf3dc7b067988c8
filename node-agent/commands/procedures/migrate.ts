import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWebvirtError } from '../../../common/errors.ts';
import type { NewLine } from '../../../common/model/line.ts';
import { peerUri } from '../../../common/pure/migration/peer-uri.ts';
import { type Look, type MigrateArgs, migrateArgsSchema } from '../../../common/wire/migration.ts';
import type { MigrationVirsh } from '../../libvirt/migration-virsh.ts';
import type { VirshOutcome } from '../../libvirt/virsh-children.ts';
import type { Outcome } from '../journal-entry.ts';
import { type LookHypervisor, lookAt } from '../look.ts';
import { cancelled, failed, unknown } from '../outcomes.ts';
import { processStart } from '../process-start.ts';
import type { Scopes } from '../scope.ts';
import { virshFault } from '../virsh-faults.ts';
import { FIRST_DOWNTIME_MS } from './migrate-pace.ts';
import { WITHIN_MS } from './migrate-reach.ts';
import { type Watched, watchMigration } from './migrate-watch.ts';
import { migrateWords } from './migrate-words.ts';
import { defineProcedure, type Procedure, type ProcedureCall } from './procedure.ts';

export interface MigrateConfig {
  /** Our own libvirt, as configured. */
  uri: string;
  /** Where the definitions of instances that leave are kept, for the day that something goes wrong. */
  keepDir: string;
  /** How long a guest that is faster than the network is tried for at the longest downtime. */
  giveUpMs: number;
  /** How long a target that gives no answer while a live move is prepared is waited for. */
  connectMs?: number;
}

export interface MigrateDeps {
  virsh: MigrationVirsh;
  scopes: Pick<Scopes, 'open' | 'close' | 'on'>;
  hypervisor: LookHypervisor;
}

type Call = ProcedureCall<MigrateArgs>;

/** virsh waits for the whole move; libvirt itself decides when it ends. */
const LONGEST_MS = 7 * 24 * 3_600_000;
const LAST_WORD_MS = 400;
const LOOK_EVERY_MS = 250;

/**
 * Moves an instance to another host. libvirt of the source does it (`--p2p`), so neither virsh nor this agent nor the
 * manager decides the guest's fate by dying. Whether all is well after any other end than success only a look at both
 * hosts can tell: that is the manager's.
 */
export function createMigrate(config: MigrateConfig, deps: MigrateDeps): Procedure {
  const { virsh, scopes } = deps;
  const look = (id: string) => lookAt(id, { uri: config.uri, hypervisor: deps.hypervisor, virsh });

  function begin(call: Call, name: string, stalled: () => void) {
    const id = call.entry.instance ?? '';
    scopes.open({ opId: call.entry.opId, instance: id, name });
    return watchMigration(
      call,
      {
        ...{ live: call.args.live, longestMs: call.args.maxDowntimeMs, startedAtMs: performance.now() },
        connectMs: config.connectMs ?? WITHIN_MS,
      },
      {
        virsh,
        stalled,
        giveUpMs: config.giveUpMs,
        async targetAnswers(deadlineMs) {
          const asked = await virsh.peer(call.args.uri, deadlineMs);
          return asked.ended === 'not-started' || (asked.ended === 'exit' && asked.code === 0);
        },
        lines: (handler: (line: NewLine) => void) => scopes.on(id, handler),
      },
    );
  }

  async function prepare(call: Call, id: string): Promise<void> {
    const xml = await virsh.peek(['dumpxml', '--inactive'], id);
    await mkdir(config.keepDir, { recursive: true, mode: 0o700 });
    await writeFile(join(config.keepDir, `${id}.xml`), xml.stdout, { mode: 0o600 });
    if (!call.args.live) return;
    const firstMs = Math.min(FIRST_DOWNTIME_MS, call.args.maxDowntimeMs ?? FIRST_DOWNTIME_MS);
    await virsh.peek(['migrate-setmaxdowntime', `--downtime=${firstMs}`], id);
  }

  async function run(call: Call): Promise<Outcome> {
    const id = call.entry.instance ?? '';
    const { args } = call;
    const uri = peerUri(args.uri);
    if (uri === null) return failed('bad-request', 'The URI of the target’s libvirt is not one that may be called.');
    const startedAtMs = performance.now();
    let before: Look;
    try {
      before = await look(id);
      const no = refusal(before, args);
      if (no !== null) return failed(before.state === null ? 'not-found' : 'wrong-state', no, null, before.state);
      await prepare(call, id);
    } catch (error) {
      return failed(isWebvirtError(error) ? error.code : 'internal', `Nothing was begun: ${String(error)}`);
    }
    if (call.signal.aborted) return cancelled(call.why());
    const stalled = new AbortController();
    const watch = begin(call, call.hypervisor.instance(id)?.name ?? '', () => stalled.abort());
    try {
      const words = migrateWords(args, uri);
      call.line('info', args.live ? 'the live move begins' : 'the cold move begins', { target: args.targetName, uri });
      const ran = await virsh.move(words, id, {
        deadlineMs: LONGEST_MS,
        signal: stalled.signal,
        onStart: call.started,
      });
      const seen = await watch.stop(ran.ended === 'exit' && ran.code === 0 ? LAST_WORD_MS : 0);
      return outcomeOf(call, ran, seen, performance.now() - startedAtMs);
    } catch (error) {
      await watch.stop(0);
      return failed(isWebvirtError(error) ? error.code : 'internal', String(error));
    } finally {
      scopes.close(id, call.entry.opId);
    }
  }

  /** Waits for what an earlier life began, then tells what is seen here. The other side is the manager's to look at. */
  async function recover(call: Call): Promise<Outcome> {
    const { entry } = call;
    const id = entry.instance ?? '';
    let stalled = false;
    const watch = begin(call, call.hypervisor.instance(id)?.name ?? '', () => {
      stalled = true;
    });
    call.line('info', 'the agent takes up a move that it began before its restart', { pid: entry.pid });
    let now: Look | null = null;
    try {
      for (;;) {
        const lives = entry.pid !== null && entry.pidStart !== null && processStart(entry.pid) === entry.pidStart;
        now = await look(id).catch(() => null);
        if ((!lives || stalled) && now !== null && !now.busy) break;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    } finally {
      await watch.stop(0);
      scopes.close(id, entry.opId);
    }
    const here = now.state === null ? 'not on this host any more' : `${now.state} here`;
    return unknown(
      `The agent was restarted during the move; the instance is ${here} now. Both hosts must be looked at.`,
      null,
      now.state,
    );
  }

  return defineProcedure<MigrateArgs>({
    name: 'migrate',
    args: migrateArgsSchema,
    on: 'instance',
    cancellable: true,
    run,
    recover,
  });
}

function refusal(now: Look, { live }: MigrateArgs): string | null {
  if (now.state === null) return 'There is no instance with this UUID on this host.';
  if (now.busy) return 'libvirt works on the instance already (a save, a backup, another move).';
  if (!now.persistent) return 'The instance is transient: it has no definition that could move with it.';
  const fits = live ? ['running', 'paused'] : ['shutoff', 'crashed'];
  if (fits.includes(now.state)) return null;
  return live
    ? `The instance is ${now.state}; only one that runs can move live. Move it cold instead.`
    : `The instance is ${now.state}; only one that is off can move cold.`;
}

function outcomeOf(call: Call, ran: VirshOutcome, seen: Watched, totalMs: number): Outcome {
  if (ran.ended === 'not-started')
    return ran.reason === 'aborted'
      ? cancelled(call.why())
      : failed('libvirt-unavailable', `Nothing was sent: ${ran.detail}.`);
  if (seen.gaveUp?.code === 'host-unreachable' && !(ran.ended === 'exit' && ran.code === 0))
    return call.signal.aborted
      ? cancelled(call.why(), ran.stderr)
      : failed(seen.gaveUp.code, seen.gaveUp.text, ran.stderr);
  if (ran.ended !== 'exit' || ran.code === null)
    return unknown('virsh ended before the move did. Both hosts must be looked at.', ran.stderr);
  if (ran.code !== 0) {
    if (seen.gaveUp !== null) return failed(seen.gaveUp.code, seen.gaveUp.text, ran.stderr);
    if (call.signal.aborted) return cancelled(call.why(), ran.stderr);
    const fault = virshFault(ran.stderr);
    if (fault.maybe) return unknown(fault.message, ran.stderr);
    return failed(fault.code, fault.message, ran.stderr);
  }
  const { completed } = seen;
  const live = call.args.live;
  return {
    state: 'done',
    error: null,
    result: {
      totalMs: Math.round(totalMs),
      downtimeMs: live ? (completed?.downtimeMs ?? null) : null,
      memoryBytes: live ? (completed?.totalBytes ?? null) : null,
      transferredBytes: live ? (completed?.processedBytes ?? null) : null,
      rounds: live ? (completed?.rounds ?? null) : null,
    },
    stderr: ran.stderr,
    afterState: null,
  };
}
