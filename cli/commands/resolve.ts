import { WebvirtError } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import { type Instance, uuidSchema } from '../../common/model/instance.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import type { CliConfig } from '../config.ts';
import { request } from '../net/request.ts';

/**
 * The one instance that is meant. A UUID is taken as it is; a name must belong to exactly one instance of the whole
 * fleet, else it is refused and the candidates are named: nothing is ever guessed.
 */
export async function resolveInstance(config: CliConfig, nameOrUuid: string): Promise<Instance> {
  const wanted = nameOrUuid.toLowerCase();
  const all = await request<Instance[]>(config, 'GET', '/api/v1/instances');
  const found = uuidSchema.safeParse(wanted).success
    ? all.filter((instance) => instance.id === wanted)
    : all.filter((instance) => instance.name === nameOrUuid);
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new WebvirtError('not-found', `There is no instance "${nameOrUuid}". See: webvirt ls instances`);
  const list = found
    .map((instance) => `  ${instance.id}  ${visibleText(instance.name)} on ${visibleText(instance.hostName)}`)
    .join('\n');
  throw new WebvirtError('ambiguous', `"${nameOrUuid}" is ${found.length} instances; use the UUID:\n${list}`);
}

/** The one host that is meant, by its id, its name or its address; nothing is ever guessed. */
export async function resolveHost(config: CliConfig, wanted: string): Promise<Host> {
  const all = await request<Host[]>(config, 'GET', '/api/v1/hosts');
  const byId = all.filter((host) => host.id === wanted);
  const found = byId.length > 0 ? byId : all.filter((host) => host.name === wanted || host.address === wanted);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw new WebvirtError('not-found', `There is no host "${wanted}". See: webvirt ls hosts`);
  const list = found
    .map((host) => `  ${host.id}  ${visibleText(host.name)} at ${visibleText(host.address)}`)
    .join('\n');
  throw new WebvirtError('ambiguous', `"${wanted}" is ${found.length} hosts; use the id:\n${list}`);
}
