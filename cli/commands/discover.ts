import { WebvirtError } from '../../common/errors.ts';
import type { Candidate } from '../../common/model/discovery.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCommand } from './command.ts';

export const scan: CliCommand = {
  words: ['scan'],
  usage: 'webvirt scan [RANGE]',
  summary: 'Look for agents now, in a configured range (all of them when none is named).',
  async run({ config, args, json, out }) {
    if (args.length > 1) throw new WebvirtError('bad-request', `Usage: ${scan.usage}`);
    const answer = await request<unknown>(
      config,
      'POST',
      '/api/v1/scans',
      args[0] === undefined ? {} : { range: args[0] },
    );
    out(json ? jsonText(answer) : 'The scan is under way. See: webvirt ls scans, webvirt ls candidates');
    return 0;
  },
};

export const enrol: CliCommand = {
  words: ['enrol'],
  usage: 'webvirt enrol CANDIDATE-ID-OR-ADDRESS',
  summary: 'Make a one-time token for a found agent and print the line to run on its host.',
  async run({ config, args, json, out, note }) {
    const [wanted, ...more] = args;
    if (wanted === undefined || more.length > 0) throw new WebvirtError('bad-request', `Usage: ${enrol.usage}`);
    const found = (await request<Candidate[]>(config, 'GET', '/api/v1/candidates')).filter(
      (candidate) =>
        candidate.id === wanted || candidate.address === wanted || `${candidate.address}:${candidate.port}` === wanted,
    );
    if (found.length !== 1) {
      const code = found.length === 0 ? 'not-found' : 'ambiguous';
      throw new WebvirtError(
        code,
        `"${wanted}" is ${found.length === 0 ? 'no candidate' : 'several candidates'}. See: webvirt ls candidates`,
      );
    }
    const answer = await request<{ command: string; expiresMs: number }>(
      config,
      'POST',
      `/api/v1/candidates/${found[0]!.id}/enrol`,
      {},
    );
    if (json) out(jsonText(answer));
    else {
      note(
        `Run this on ${visibleText(found[0]!.claimedName ?? found[0]!.address)} as root before ${new Date(answer.expiresMs).toLocaleTimeString()}:`,
      );
      out(answer.command);
    }
    return 0;
  },
};
