import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebvirtError } from '../common/errors.ts';

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

/**
 * Flags win over the environment (WEBVIRT_URL, WEBVIRT_TOKEN, WEBVIRT_DATA_DIR, WEBVIRT_CA, WEBVIRT_AGENT_SOCKET).
 * Without a token the one of the local data directory signs in.
 */
export function readConfig(flags: CliFlags, env = process.env): CliConfig {
  const dataDir = flags['data-dir'] ?? env.WEBVIRT_DATA_DIR ?? 'data';
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
  return {
    url: url.replace(/\/+$/, ''),
    token: flags.token ?? env.WEBVIRT_TOKEN ?? readIfThere(join(dataDir, 'local', 'admin.token')),
    ca,
    agentSocket:
      flags.socket ??
      env.WEBVIRT_AGENT_SOCKET ??
      join(env.WEBVIRT_AGENT_DATA_DIR ?? join(dataDir, 'agent'), 'agent.sock'),
    color: process.stdout.isTTY === true && env.NO_COLOR === undefined,
  };
}
