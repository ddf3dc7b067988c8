import { readFileSync } from 'node:fs';
import { WebvirtError } from '../../common/errors.ts';
import type { Delivery, Destination } from '../../common/model/rule.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCall } from './command.ts';
import { findOne, mustBeAll, said, show, tell, timeOf } from './rule-calls.ts';
import { countFlag, textFlag } from './values.ts';

export const DESTINATION_FLAGS = {
  mail: { type: 'string', describe: 'destinations add: addresses, with commas' },
  webhook: { type: 'string', describe: 'destinations add: address that takes the event as JSON' },
  chat: { type: 'string', describe: 'destinations add: address of a hook of Slack, Mattermost and the like' },
  'secret-file': { type: 'string', describe: 'destinations add --webhook: file whose first line is the key' },
  'template-file': { type: 'string', describe: 'destinations add --webhook: file with the body to send' },
  apart: { type: 'boolean', describe: 'destinations add: each event is a message of its own' },
} as const;

const USAGE = 'webvirt rules destinations [add NAME --mail A,B | --webhook URL | --chat URL] [remove NAME] [test NAME]';

/** `rules destinations …`: where people are told. */
export async function destinations(call: CliCall): Promise<number> {
  const [, verb = 'list', name] = call.args;
  mustBeAll(call, 3, USAGE);
  if (verb === 'list') return list(call);
  if (name === undefined) throw new WebvirtError('bad-request', `A name is missing. Usage: ${USAGE}`);
  if (verb === 'add' || verb === 'create') return add(call, name);
  if (verb === 'remove' || verb === 'delete') return remove(call, name);
  if (verb === 'test') return test(call, name);
  throw new WebvirtError('bad-request', `There is no "destinations ${verb}". Usage: ${USAGE}`);
}

async function list(call: CliCall): Promise<number> {
  const all = await request<Destination[]>(call.config, 'GET', '/api/v1/destinations');
  const rows = all.map(({ name, kind, to, url, together, id }) => [
    ...[said(name), kind, said(url ?? to.join(', ')), together ? 'gathered' : 'each apart', id],
  ]);
  return show(call, all, ['DESTINATION', 'KIND', 'WHERE', 'EVENTS', 'ID'], rows, 'There is no destination yet.');
}

async function add(call: CliCall, name: string): Promise<number> {
  const [mail, webhook, chat] = [textFlag(call, 'mail'), textFlag(call, 'webhook'), textFlag(call, 'chat')];
  if ([mail, webhook, chat].filter((one) => one !== undefined).length !== 1)
    throw new WebvirtError('bad-request', `One of --mail, --webhook and --chat is needed. Usage: ${USAGE}`);
  const secret = fileOf(call, 'secret-file')?.split(/\r?\n/)[0];
  const template = fileOf(call, 'template-file');
  if (webhook === undefined && (secret !== undefined || template !== undefined))
    throw new WebvirtError('bad-request', 'A key and a template are for --webhook alone.');
  const common = { name, together: call.flags['apart'] !== true };
  const draft =
    mail !== undefined
      ? { ...common, kind: 'email', to: partsOf(mail) }
      : webhook !== undefined
        ? { ...common, kind: 'webhook', url: webhook, secret, template }
        : { ...common, kind: 'chat', url: chat };
  const made = await request<Destination>(call.config, 'POST', '/api/v1/destinations', draft);
  call.out(call.json ? jsonText(made) : made.id);
  return 0;
}

/** Text of a file that a flag names. */
function fileOf(call: CliCall, flag: string): string | undefined {
  const path = textFlag(call, flag);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new WebvirtError('bad-request', `--${flag}: ${path} cannot be read (${code}).`);
  }
}

export const partsOf = (text: string) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

async function remove(call: CliCall, wanted: string): Promise<number> {
  const { id, name } = await findOne<Destination>(call, 'destination', wanted);
  await request(call.config, 'DELETE', `/api/v1/destinations/${id}`);
  return tell(call, null, `${said(name)} is removed.`);
}

/** `rules test NAME`: sends a test at once. Fails when it did not arrive. */
export async function test(call: CliCall, wanted: string): Promise<number> {
  const { id } = await findOne<Destination>(call, 'destination', wanted);
  const path = `/api/v1/destinations/${id}/test`;
  const came = await request<{ sent: boolean; error: string | null; tookMs: number }>(call.config, 'POST', path, {});
  if (call.json) call.out(jsonText(came));
  else if (came.sent) call.out(`delivered in ${came.tookMs} ms`);
  else call.note(`webvirt: ${said(came.error)}`);
  return came.sent ? 0 : 1;
}

/** `rules deliveries`: the messages, newest first. */
export async function deliveries(call: CliCall): Promise<number> {
  mustBeAll(call, 1, 'webvirt rules deliveries');
  const limit = countFlag(call, 'limit') ?? 100;
  const all = await request<Delivery[]>(call.config, 'GET', `/api/v1/deliveries?limit=${limit}`);
  const heading = ['MADE', 'RULE', 'EVENTS', 'TO', 'STATE', 'TRIES', 'WHY'];
  const rows = all.map((one) => [
    ...[timeOf(one.createdMs), said(one.ruleName) + (one.otherRules > 0 ? ` and ${one.otherRules} more` : '')],
    ...[one.events, said(one.destinationName), one.state, one.tries, said(one.error)],
  ]);
  return show(call, all, heading, rows, 'Nobody was told anything yet.');
}
