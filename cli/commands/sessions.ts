import { WebvirtError } from '../../common/errors.ts';
import type { Session } from '../../common/model/compute.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCommand } from './command.ts';
import { ls } from './ls.ts';

export const sessions: CliCommand = {
  words: ['sessions'],
  usage: 'webvirt sessions | webvirt sessions stop ID…',
  summary:
    'List the computation sessions of all hosts, those that ended in the last day too; or stop some, with all that runs in them.',
  async run(call) {
    const [word, ...ids] = call.args;
    if (word === undefined) return ls.run({ ...call, args: ['sessions'] });
    if (word !== 'stop' || ids.length === 0) throw new WebvirtError('bad-request', `Usage: ${sessions.usage}`);
    for (const id of ids) {
      const path = `/api/v1/compute/sessions/${encodeURIComponent(id)}`;
      const session = await request<Session>(call.config, 'DELETE', path);
      call.out(
        call.json ? jsonText(session) : `${session.id}: ${session.state === 'dead' ? 'ended' : 'is being ended'}`,
      );
    }
    return 0;
  },
};
