import { WebvirtError } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { MigrationChecks } from '../../common/model/migration.ts';
import type { MigrateArgs } from '../../common/wire/migration.ts';
import type { Judge } from '../commands/judge.ts';
import { createGather, type Options } from './gather.ts';
import { createMigrationJudge } from './judge.ts';
import type { MigrationDeps } from './ports.ts';
import { createJobScopes } from './scopes.ts';
import { SETTLE_DEFAULTS, type SettleConfig } from './settle.ts';
import { createSteps } from './steps.ts';

export interface MoveRequest {
  instance: string;
  /** Id of the host to go to. */
  target: string;
  live: boolean;
  tunnelled: boolean;
  copyStorage: boolean;
  maxDowntimeMs?: number | undefined;
  maxRateBps?: number | undefined;
  opId?: string | undefined;
  actor: string;
}

/** How an instance is to move, as far as was said. */
export type HowAsked = Omit<Options, 'live'> & { live?: boolean | undefined };

export interface Migration {
  /** All checks against one host. `live` absent: as its state suggests. Errors: `not-found`. */
  checks(instance: string, target: string, how: HowAsked): Promise<MigrationChecks>;
  /** One for each other host, those to which it can move first. Errors: `not-found`. */
  targets(instance: string, how: HowAsked): Promise<MigrationChecks[]>;
  /**
   * Checks once more and begins the move. Errors: `not-found`, `not-movable` with the texts of the failed checks,
   * `op-id-reused`, and those of every command.
   */
  move(request: MoveRequest): Promise<Job>;
  /** Handed to the commands: decides how moves ended. */
  judge: Judge;
  /** The link of a host is open. */
  up(hostId: string): void;
  start(): void;
  stop(): void;
}

/** Moves of instances between hosts: the checks before, the lines during, the truth afterwards. */
export function createMigration(config: Partial<SettleConfig>, deps: MigrationDeps): Migration {
  const { inventory, jobs } = deps;
  const gather = createGather(deps);
  const scopes = createJobScopes(deps);
  const steps = createSteps(deps);
  const judge = createMigrationJudge({ ...SETTLE_DEFAULTS, ...config }, { ...deps, steps, closed: scopes.close });

  function mustInstance(id: string): { instance: Instance; source: Host } {
    const instance = inventory.instance(id);
    const source = inventory.host(instance?.host ?? '');
    if (!instance || !source) throw new WebvirtError('not-found', `There is no instance ${id}.`);
    return { instance, source };
  }

  function mustHost(id: string): Host {
    const host = inventory.host(id);
    if (!host) throw new WebvirtError('not-found', `There is no host ${id}.`);
    return host;
  }

  const optionsOf = ({ state }: Instance, how: HowAsked): Options => ({
    ...how,
    live: how.live ?? (state === 'running' || state === 'paused'),
  });

  /** The job of an earlier call with this opId, when it was the same call. */
  function earlier(request: MoveRequest): Job | null {
    const job = request.opId === undefined ? null : jobs.get(request.opId);
    if (job === null) return null;
    const args = job.args as Partial<MigrateArgs>;
    const same =
      job.verb === 'migrate' &&
      job.instance === request.instance &&
      job.target === request.target &&
      (['live', 'tunnelled', 'copyStorage', 'maxDowntimeMs', 'maxRateBps'] as const).every(
        (key) => args[key] === request[key],
      );
    if (!same)
      throw new WebvirtError('op-id-reused', `The opId ${job.id} already stands for another operation.`, {
        job: job.id,
      });
    return deps.commands.get(job.id);
  }

  return {
    judge,
    async checks(id, target, how) {
      const { instance, source } = mustInstance(id);
      return (await gather.one(instance, source, mustHost(target), optionsOf(instance, how))).checks;
    },
    async targets(id, how) {
      const { instance, source } = mustInstance(id);
      const others = inventory.hosts().filter((host) => host.id !== source.id);
      const found = await gather.all(instance, source, others, optionsOf(instance, how));
      const rank = ({ movable }: MigrationChecks) => (movable ? 0 : 1);
      return found.sort((a, b) => rank(a) - rank(b) || (a.targetName < b.targetName ? -1 : 1));
    },
    async move(request) {
      const known = earlier(request);
      if (known !== null) return known;
      const { instance, source } = mustInstance(request.instance);
      const target = mustHost(request.target);
      const { live, tunnelled, copyStorage, maxDowntimeMs, maxRateBps } = request;
      const {
        checks,
        uri,
        source: facts,
      } = await gather.one(instance, source, target, { live, tunnelled, copyStorage });
      // While we asked, the same call may have come a second time and been begun.
      const meanwhile = earlier(request);
      if (meanwhile !== null) return meanwhile;
      const failed = checks.checks.filter(({ verdict }) => verdict === 'fail');
      if (failed.length > 0 || uri === null || facts === null)
        throw new WebvirtError(
          'not-movable',
          failed
            .map(({ text }) => text)
            .join(' ')
            .slice(0, 2_000),
          {
            ...{ instance: instance.id, target: target.id, checks: failed.map(({ check }) => check) },
          },
        );
      const args: MigrateArgs = {
        ...{ target: target.id, targetName: target.name, uri, live, tunnelled, copyStorage },
        ...(maxDowntimeMs === undefined ? {} : { maxDowntimeMs }),
        ...(maxRateBps === undefined ? {} : { maxRateBps }),
        was: { paused: facts.look.state === 'paused', autostart: facts.look.autostart },
      };
      const job = deps.commands.dispatch({
        ...{ verb: 'migrate', instance: instance.id, opId: request.opId, actor: request.actor },
        ...{ target: { id: target.id, name: target.name }, args },
      });
      const stored = jobs.get(job.id);
      if (stored !== null && (stored.state === 'planned' || stored.state === 'running')) {
        scopes.open(stored);
        // The target refuses older commands for it from now on; the move itself does not wait for that.
        void steps.run(target.id, stored, 'expect');
      }
      return job;
    },
    up(hostId) {
      scopes.up(hostId);
      judge.up(hostId);
    },
    start() {
      for (const job of jobs.unfinished()) if (job.verb === 'migrate') scopes.open(job);
      judge.start();
    },
    stop: judge.stop,
  };
}
