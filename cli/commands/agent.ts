import { WebvirtError } from '../../common/errors.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCommand } from './command.ts';

interface AgentStatus {
  id: string;
  state: string;
  version: string;
  managerUrl?: string | null;
}

export const agent: CliCommand = {
  words: ['agent'],
  usage: 'webvirt agent enrol MANAGER-URL TOKEN | webvirt agent status   [--socket PATH]',
  summary: 'On a host: hand the agent of this machine to a manager, or ask how it stands.',
  async run({ config, args, json, out }) {
    const target = { socketPath: config.agentSocket };
    const [word, ...rest] = args;
    if (word === 'status' && rest.length === 0) {
      const status = await request<AgentStatus>(target, 'GET', '/status');
      out(json ? jsonText(status, 2) : describe(status));
      return 0;
    }
    if (word === 'enrol' && rest.length === 2) {
      const [url, token] = rest as [string, string];
      if (!url.startsWith('https://'))
        throw new WebvirtError('bad-request', `The manager's address must begin with https:// (it is "${url}").`);
      const status = await request<AgentStatus>(target, 'POST', '/enrol', { url, token });
      out(json ? jsonText(status, 2) : `Enrolled with ${url} as ${status.id}.`);
      return 0;
    }
    throw new WebvirtError('bad-request', `Usage: ${agent.usage}`);
  },
};

function describe(status: AgentStatus): string {
  const manager = status.managerUrl ? ` with ${visibleText(status.managerUrl)}` : '';
  return `agent ${status.id} (${visibleText(status.version)}): ${visibleText(status.state)}${manager}`;
}
