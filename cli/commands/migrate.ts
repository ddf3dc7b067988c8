import { WebvirtError } from '../../common/errors.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { MigrationChecks } from '../../common/model/migration.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { migrationText } from '../show/job.ts';
import { jsonText } from '../show/json-text.ts';
import { table } from '../show/table.ts';
import type { CliCall, CliCommand } from './command.ts';
import { follow, jobIdOf } from './follow.ts';
import { resolveHost, resolveInstance } from './resolve.ts';
import { durationFlag, newOpId } from './values.ts';

export const migrate: CliCommand = {
  words: ['migrate'],
  usage: 'webvirt migrate NAME-OR-UUID [HOST] [--check] [--cold] [--tunnelled] [--copy-storage] [--max-downtime TIME]',
  summary:
    'Move an instance to another host, running unless --cold. --check only says what speaks for and against it; without HOST for every host.',
  flags: {
    check: { type: 'boolean', describe: 'only look; the exit code is 0 when it can move' },
    cold: { type: 'boolean', describe: 'move an instance that is shut off' },
    tunnelled: { type: 'boolean', describe: 'send its memory through the connection of the two libvirts' },
    'copy-storage': { type: 'boolean', describe: 'copy its disks too, where the target does not see them' },
    'max-downtime': { type: 'string', describe: 'how long it may stand still at most, such as 100ms' },
    'no-wait': { type: 'boolean', describe: 'print the job and return' },
  },
  async run(call) {
    const [wanted, target, ...more] = call.args;
    const onlyLook = call.flags['check'] === true;
    if (wanted === undefined || more.length > 0 || (target === undefined && !onlyLook)) {
      throw new WebvirtError('bad-request', `Usage: ${migrate.usage}`);
    }
    const instance = await resolveInstance(call.config, wanted);
    if (onlyLook) return check(call, instance, target);
    const maxDowntimeMs = durationFlag(call, 'max-downtime');
    const body = {
      target: (await resolveHost(call.config, target!)).id,
      live: call.flags['cold'] !== true,
      tunnelled: call.flags['tunnelled'] === true,
      copyStorage: call.flags['copy-storage'] === true,
      ...(maxDowntimeMs === undefined ? {} : { maxDowntimeMs }),
      opId: newOpId(),
    };
    const path = `/api/v1/instances/${instance.id}/migrate`;
    const { job } = await request<{ job: string | Job }>(call.config, 'POST', path, body);
    return follow(call, jobIdOf(job), (ended) => {
      const numbers = migrationText(ended.result ?? {});
      return `on ${visibleText(ended.targetName ?? target!)} now${numbers === '' ? '' : `; ${numbers}`}`;
    });
  },
};

async function check(call: CliCall, instance: Instance, target: string | undefined): Promise<number> {
  const query = new URLSearchParams({ live: String(call.flags['cold'] !== true) });
  if (call.flags['tunnelled'] === true) query.set('tunnelled', 'true');
  if (call.flags['copy-storage'] === true) query.set('copyStorage', 'true');
  if (target !== undefined) query.set('target', (await resolveHost(call.config, target)).id);
  const base = `/api/v1/instances/${instance.id}/migrate/`;
  const answer = await request<MigrationChecks | MigrationChecks[]>(
    call.config,
    'GET',
    `${base}${target === undefined ? 'targets' : 'checks'}?${query}`,
  );
  const all = Array.isArray(answer) ? answer : [answer];
  if (call.json) call.out(jsonText(answer, 2));
  else if (all.length === 0) call.note('There is no other host.');
  else call.out(all.map((one) => checksText(instance, one)).join('\n\n'));
  return all.some((one) => one.movable) ? 0 : 1;
}

/** What speaks for and against one target: what keeps it from moving comes first. */
export function checksText(
  instance: Pick<Instance, 'name'>,
  { targetName, live, movable, checks }: MigrationChecks,
): string {
  const order = ['fail', 'warn', 'ok'];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  const head = `${visibleText(instance.name)} ${movable ? 'can' : 'cannot'} move to ${visibleText(targetName)}${live ? ' while it runs' : ', shut off'}`;
  const rows = sorted.map(({ check, verdict, text }) => [verdict, visibleText(check), visibleText(text)]);
  return `${head}\n${table(['VERDICT', 'CHECK', 'FOUND'], rows)}`;
}
