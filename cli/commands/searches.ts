import { WebvirtError } from '../../common/errors.ts';
import type { SavedSearch } from '../../common/model/search.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCall, CliCommand } from './command.ts';
import { FILTER_FLAGS, filterOf, savedSearch } from './line-filter.ts';
import { ls } from './ls.ts';

export const searches: CliCommand = {
  words: ['searches'],
  usage: 'webvirt searches | webvirt searches save NAME [FILTER] [--shared] | webvirt searches forget NAME',
  summary: 'List saved searches, or keep a filter under a name, or forget it. To use one: webvirt search --saved NAME',
  flags: {
    ...FILTER_FLAGS,
    shared: { type: 'boolean', describe: 'let everybody see it' },
  },
  async run(call) {
    const [word, name, ...words] = call.args;
    if (word === undefined) return ls.run({ ...call, args: ['searches'] });
    if (name === undefined) throw new WebvirtError('bad-request', `Usage: ${searches.usage}`);
    if (word === 'save') return save(call, name, words.join(' '));
    if (word === 'forget' && words.length === 0) return forget(call, name);
    throw new WebvirtError('bad-request', `webvirt searches knows save and forget, not "${word}".`);
  },
};

async function save(call: CliCall, name: string, q: string): Promise<number> {
  const query = await filterOf(call, q === '' ? {} : { q });
  const body = { name, shared: call.flags['shared'] === true, query };
  const made = await request<SavedSearch>(call.config, 'POST', '/api/v1/searches', body);
  call.out(call.json ? jsonText(made) : made.id);
  return 0;
}

async function forget(call: CliCall, name: string): Promise<number> {
  await request(call.config, 'DELETE', `/api/v1/searches/${(await savedSearch(call, name)).id}`);
  return 0;
}
