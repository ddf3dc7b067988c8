// Moves of the pretended manager: what speaks for and against each target, and a copy in four rounds.
import type { Instance } from '../../common/model/instance.ts';
import type { MigrationCheck, MigrationChecks } from '../../common/model/migration.ts';
import type { MockState } from './mock-api.ts';
import { job } from './mock-data.ts';
import { begin, end, run, TICK_MS, told } from './mock-jobs.ts';

const GIB = 1024 ** 3;

export function checksFor(
  state: MockState,
  instance: Instance,
  given: Record<string, string | undefined>,
): MigrationChecks[] {
  const live = given['live'] !== 'false';
  const copied = given['copyStorage'] === 'true';
  const all = state.world.hosts.filter(({ id }) => id !== instance.host);
  return all
    .map((host, index): MigrationChecks => {
      const online = host.state === 'online';
      const check = (name: string, verdict: MigrationCheck['verdict'], text: string) => ({
        check: name,
        verdict,
        text,
      });
      const checks = [
        check(
          'target-online',
          online ? 'ok' : 'fail',
          online
            ? `${host.name} answers.`
            : `${host.name} has not answered for 12 min. Wait until it is back, or choose another host.`,
        ),
        check(
          'hypervisor',
          host.hypervisor === 'qemu' ? 'ok' : 'fail',
          host.hypervisor === 'qemu' ? 'Both run QEMU with KVM.' : 'It runs the test driver; the instance needs QEMU.',
        ),
        check(
          'cpu',
          index === 1 ? 'warn' : 'ok',
          index === 1
            ? 'The CPU there has no avx512f. The guest does not see it, but it was started with a newer model.'
            : 'The CPU there has all that the guest sees.',
        ),
        check('memory', 'ok', `${8 + index} GiB are free there; it needs ${instance.memoryBytes / GIB} GiB.`),
        check(
          'network',
          index === 4 ? 'fail' : 'ok',
          index === 4
            ? 'There is no network named default. Define it there first.'
            : 'The network default exists there.',
        ),
        check(
          'disk',
          copied && online ? 'ok' : index === 2 ? 'warn' : 'ok',
          copied && online
            ? `It will be copied to ${host.name}.`
            : index === 2
              ? 'The disk is on shared storage, but its file system is mounted with other options there.'
              : 'The disk is on storage that both hosts share.',
        ),
        check('name', 'ok', 'Nothing there has its name or its UUID.'),
      ];
      const movable = checks.every(({ verdict }) => verdict !== 'fail');
      return { instance: instance.id, target: host.id, targetName: host.name, live, movable, checks };
    })
    .sort((a, b) => Number(b.movable) - Number(a.movable));
}

export function migrate(
  state: MockState,
  instance: Instance,
  body: Record<string, unknown>,
): { status: number; data: unknown } {
  const target = state.world.hosts.find(({ id }) => id === body['target'])!;
  const known = state.world.jobs.find(({ id }) => id === body['opId']);
  if (known !== undefined) return { status: 202, data: { job: known } };
  const more = { target: target.id, targetName: target.name };
  const made = begin(state, { ...job('migrate', 'running', instance, Date.now(), more), id: String(body['opId']) });
  instance.busyJob = made.id;
  const [source, totalBytes] = [instance.host, instance.memoryBytes];
  told(state, made, source, 'agent', 'migration begins');
  told(state, made, target.id, 'libvirt', 'qemuMigrationDstPrepareAny: waiting for incoming migration');
  run(state, made, (elapsedMs) => {
    const share = Math.min(1, elapsedMs / state.moveMs);
    if (share >= 1) {
      Object.assign(instance, { host: target.id, hostName: target.name, busyJob: null, changedMs: Date.now() });
      told(state, made, target.id, 'qemu', 'incoming migration complete');
      const result = {
        source,
        target: target.id,
        totalMs: elapsedMs,
        downtimeMs: 84,
        memoryBytes: totalBytes,
        transferredBytes: totalBytes * 1.3,
        rounds: 4,
      };
      return end(state, made, { state: 'done', result });
    }
    // Four rounds, each over what was dirtied in the one before.
    const round = Math.min(3, Math.floor(share * 4));
    const size = totalBytes / 4 ** round;
    const remainingBytes = Math.max(0, size * (1 - (share * 4 - round)));
    const wave = 1 + 0.12 * Math.sin(elapsedMs / 700);
    made.progress = share;
    made.detail = {
      ...{ phase: 'copies memory', elapsedMs, totalBytes, remainingBytes, processedBytes: totalBytes - remainingBytes },
      ...{ rateBps: 112 * 1024 ** 2 * wave, dirtyRateBps: 28 * 1024 ** 2 * wave, rounds: round + 1 },
      ...{ expectedDowntimeMs: 90, downtimeLimitMs: 300 },
    };
    if (round > 0 && elapsedMs % 1_000 < TICK_MS)
      told(state, made, round % 2 ? source : target.id, round % 2 ? 'qemu' : 'libvirt', `round ${round + 1}`);
  });
  return { status: 202, data: { job: made } };
}
