import { isWebvirtError } from '../common/errors.ts';
import { type Agent, createAgent } from './agent.ts';
import { type AgentConfig, readConfig, readFailpoint, stopsWithStdin } from './config.ts';

declare const __WEBVIRT_VERSION__: string | undefined;
const VERSION = typeof __WEBVIRT_VERSION__ === 'string' ? __WEBVIRT_VERSION__ : 'development';

const STOP_LIMIT_MS = 8_000;

/** What an error means for the person who starts the agent, and what to do. */
function words(error: unknown, config: AgentConfig | null): string {
  const { code, message, path } = error as NodeJS.ErrnoException;
  const dataDir = `the data directory ${config?.dataDir} (dataDir, WEBVIRT_AGENT_DATA_DIR)`;
  const place = `${config?.listen} port ${config?.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${place} is in use by another program; stop it, or set another port (port, WEBVIRT_AGENT_PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${config?.listen} is not an address of this machine (listen, WEBVIRT_AGENT_LISTEN)`;
    case 'SQLITE_FULL':
    case 'ENOSPC':
      return `the disk of ${dataDir} is full`;
    case 'SQLITE_BUSY':
      return `another agent uses ${dataDir}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_READONLY':
      return path === undefined && code === 'EACCES'
        ? `${place} may not be opened by this user (port, WEBVIRT_AGENT_PORT)`
        : `${path ?? 'a file'} in ${dataDir} cannot be written by this user`;
    case 'ENOENT':
      return `${path} cannot be made: ${dataDir} is not on a disk`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path} is in the way of ${dataDir}`;
    default:
      return message;
  }
}

/** Ends with one line on stderr: 2 for the configuration, 1 for the rest. */
function fail(error: unknown, config: AgentConfig | null): never {
  process.stderr.write(`agent: ${words(error, config).replaceAll('\n', ' ')}\n`);
  process.exit(isWebvirtError(error, 'bad-config') ? 2 : 1);
}

let config: AgentConfig | null = null;
let agent: Agent | null = null;
let stopping = false;

function stop(): void {
  if (stopping) return;
  stopping = true;
  // A part that does not end by itself must not keep the machine from shutting down.
  setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
  const stopped = agent?.stop() ?? Promise.resolve();
  stopped.then(
    () => process.exit(0),
    (error) => fail(error, config),
  );
}

function crash(error: unknown): void {
  try {
    agent?.failed(error);
  } finally {
    fail(error, config);
  }
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
try {
  config = readConfig();
  if (stopsWithStdin()) process.stdin.on('end', stop).on('close', stop).resume();
  agent = await createAgent(config, { version: VERSION, failpoint: readFailpoint(), stderr: true });
  const { id, port, state } = await agent.start();
  if (!stopping) process.stdout.write(`${JSON.stringify({ ready: true, id, port, state })}\n`);
} catch (error) {
  // What was opened is closed by the end of the process; a stop that came in between has its own end.
  if (!stopping) fail(error, config);
}
