import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebvirtError } from '../common/errors.ts';
import { trimEndOf } from '../common/pure/trim-end.ts';

/** Where the manager is and how to sign in there. */
export interface CliConfig {
  url: string;
  /** Null when neither a token nor a data directory was found; the manager then answers `not-signed-in`. */
  token: string | null;
  /** PEM of the CA that signs the manager's certificate; only for https. */
  ca: string | null;
  /** Unix socket of the agent on this host, for `webvirt agent …`. */
  agentSocket: string;
  color: boolean;
}

export interface CliFlags {
  url?: string;
  token?: string;
  ca?: string;
  'data-dir'?: string;
  socket?: string;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new WebvirtError(
      'bad-config',
      `${path} cannot be read (${code}). Run as the user who owns the data directory, or set WEBVIRT_TOKEN.`,
    );
  }
}

/** Where the units of `conf/systemd/` keep the agent's data. */
const SERVICE_SOCKET = '/var/lib/webvirt-agent/agent.sock';

/** The token of a data directory is the manager's of this machine: it is not sent anywhere else unasked. */
function isHere(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** The socket of the agent that `npm start` runs here, else that of the service. */
function agentSocketOf(agentDir: string): string {
  const socket = join(agentDir, 'agent.sock');
  return !existsSync(socket) && existsSync(SERVICE_SOCKET) ? SERVICE_SOCKET : socket;
}

/**
 * Flags win over the environment (WEBVIRT_URL, WEBVIRT_TOKEN, WEBVIRT_DATA_DIR, WEBVIRT_CA, WEBVIRT_AGENT_SOCKET).
 * Without a token the one of the data directory signs in: at a manager on this machine, or wherever a directory is named.
 */
export function readConfig(flags: CliFlags, env = process.env): CliConfig {
  const named = flags['data-dir'] ?? env.WEBVIRT_DATA_DIR;
  const dataDir = named ?? 'data';
  const url = flags.url ?? env.WEBVIRT_URL ?? `http://127.0.0.1:${env.WEBVIRT_PORT ?? '4600'}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new WebvirtError(
      'bad-config',
      `The manager's address "${url}" is not an http(s) address, such as http://127.0.0.1:4600.`,
    );
  }
  const caFile = flags.ca ?? env.WEBVIRT_CA;
  const ca = readIfThere(caFile ?? join(dataDir, 'ca', 'ca.pem'));
  if (caFile !== undefined && ca === null) throw new WebvirtError('bad-config', `There is no CA file ${caFile}.`);
  const mayUseToken = named !== undefined || isHere(url);
  return {
    url: trimEndOf(url, '/'),
    token:
      flags.token ?? env.WEBVIRT_TOKEN ?? (mayUseToken ? readIfThere(join(dataDir, 'local', 'admin.token')) : null),
    ca,
    agentSocket:
      flags.socket ??
      env.WEBVIRT_AGENT_SOCKET ??
      (env.WEBVIRT_AGENT_DATA_DIR === undefined
        ? agentSocketOf(join(dataDir, 'agent'))
        : join(env.WEBVIRT_AGENT_DATA_DIR, 'agent.sock')),
    color: process.stdout.isTTY === true && env.NO_COLOR === undefined,
  };
}
