import { act } from './act.ts';
import { agent } from './agent.ts';
import type { CliCommand } from './command.ts';
import { serialConsole } from './console.ts';
import { enrol, scan } from './discover.ts';
import { images } from './images.ts';
import { cancel, watch } from './jobs.ts';
import { launch, remove } from './launch.ts';
import { logs } from './logs.ts';
import { ls } from './ls.ts';
import { migrate } from './migrate.ts';
import { rules } from './rules.ts';
import { run } from './run.ts';
import { search } from './search.ts';
import { searches } from './searches.ts';
import { sessions } from './sessions.ts';

/** All words of the command line, in the order in which the help shows them. */
export const COMMANDS: readonly CliCommand[] = [
  ...[
    logs,
    search,
    searches,
    rules,
    ls,
    act,
    serialConsole,
    launch,
    remove,
    migrate,
    watch,
    cancel,
    images,
    run,
    sessions,
  ],
  ...[scan, enrol, agent],
];

export const COMMON_FLAGS = {
  url: { type: 'string', describe: 'address of the manager (WEBVIRT_URL; http://127.0.0.1:4600)' },
  token: { type: 'string', describe: 'token that signs in (WEBVIRT_TOKEN; else the one of the data directory)' },
  'data-dir': { type: 'string', describe: 'data directory of a manager on this machine (WEBVIRT_DATA_DIR; ./data)' },
  ca: { type: 'string', describe: 'CA certificate of the manager, for https (WEBVIRT_CA)' },
  socket: { type: 'string', describe: 'socket of the agent on this host (WEBVIRT_AGENT_SOCKET)' },
  json: { type: 'boolean', describe: 'print JSON' },
  help: { type: 'boolean', short: 'h', describe: 'show this help' },
  version: { type: 'boolean', describe: 'show the version' },
} as const;
