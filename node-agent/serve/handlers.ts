import { WebvirtError } from '../../common/errors.ts';
import type { Command, EpochRange } from '../../common/wire/link.ts';
import type { ServedCommands, ServedHypervisor, ServedResources } from './ports.ts';
import type { AgentStatus, NodeCall } from './routes.ts';

export interface HandlerDeps {
  hypervisor: ServedHypervisor;
  commands: ServedCommands;
  resources: ServedResources;
  spool: { waiting(): { lines: number; bytes: number }; epochs(): EpochRange[] };
  spoolCapBytes: number;
  status(): AgentStatus;
}

export type Handler = (call: { params: Record<string, string>; body: unknown }) => unknown;

/** What each call of the table answers: `data` of the envelope. Parameters and bodies are checked before. */
export function createHandlers(deps: HandlerDeps): Record<Exclude<NodeCall, 'GET /v1/link'>, Handler> {
  const { hypervisor, commands, resources, spool, status } = deps;
  return {
    'GET /hello': () => {
      const { version, id, name } = status();
      return { product: 'webvirt-agent', version, id, state: 'unenrolled', name: shortName(name) };
    },
    'GET /v1/status': status,
    'GET /v1/host': () => ({ host: hypervisor.facts(), load: hypervisor.load() }),
    'GET /v1/resources': () => resources.read(),
    'GET /v1/instances': () => hypervisor.instances(),
    'GET /v1/instances/:uuid': ({ params }) =>
      hypervisor.instance(params['uuid']!) ?? notFound(`There is no instance ${params['uuid']} on this host.`),
    'GET /v1/jobs': () => commands.unacked(),
    'GET /v1/jobs/:opId': ({ params }) =>
      commands.report(params['opId']!) ?? notFound(`The journal has no operation ${params['opId']}.`),
    'GET /v1/spool': () => ({ ...spool.waiting(), capBytes: deps.spoolCapBytes, epochs: spool.epochs() }),
    'POST /v1/commands': ({ body }) => commands.submit(body as Command),
  };
}

/** The hello stays under 512 bytes whatever the host calls itself. */
function shortName(name: string): string {
  let short = name.slice(0, 255);
  while (Buffer.byteLength(JSON.stringify(short)) > 258) short = short.slice(0, -1);
  return short;
}

function notFound(message: string): never {
  throw new WebvirtError('not-found', message);
}
