// The agent's half of a storm: a real spool behind the real link, over real TLS, that writes known lines until it is
// killed. What it says on stdout is kept by a process that is never killed.
import { writeSync } from 'node:fs';
import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';
import { LINK_PATH } from '../../common/wire/link.ts';
import { noFailpoint, parseFailpoint } from '../../logging/failpoint.ts';
import { createLogger } from '../../logging/logger.ts';
import { createSpool } from '../../logging/spool/spool.ts';
import { createLinkServer } from '../../node-agent/serve/link.ts';
import { lineAnswerers } from '../../node-agent/serve/link-lines.ts';
import { createQuestions } from '../../node-agent/serve/questions.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { standInCommands, standInHypervisor } from './agent-stand-ins.ts';
import { bodyOf } from './logstorm-bodies.ts';

export interface AgentOrder {
  path: string;
  identity: AgentIdentity;
  port: number;
  run: string;
  lines: number;
  /** Such as `A7@12`; absent: it lives. */
  fail?: string;
  capLines?: number;
  /** It says all of them at once, whether a manager is there or not. */
  early?: boolean;
}

const order = JSON.parse(process.argv[2] ?? 'null') as AgentOrder;
const failpoint = order.fail === undefined ? noFailpoint : parseFailpoint(order.fail);
const tell = (message: unknown) => writeSync(1, `${JSON.stringify(message)}\n`);

const real = createSpool(
  {
    ...{ path: order.path, capBytes: 256e6, batchMaxLines: 40, now: Date.now },
    ...(order.capLines === undefined ? {} : { capLines: order.capLines }),
  },
  { failpoint },
);
const spool: typeof real = {
  ...real,
  acked(epoch, next, hash) {
    // Before it takes effect: what is told here must be stored, whatever happens to us now.
    tell({ t: 'acked', epoch, next });
    return real.acked(epoch, next, hash);
  },
};
real.onSpooled((frames) => {
  for (const { header, body } of frames) {
    const messages = header.gap === undefined ? JSON.parse(Buffer.from(body).toString()).message : null;
    const numbers = (messages as string[] | null)?.map((text) =>
      text.slice(0, text.indexOf(':', text.indexOf(':') + 1)),
    );
    tell({ t: 'spooled', epoch: header.epoch, first: header.first, count: header.count, lines: numbers ?? null });
  }
});

const log = createLogger({ program: 'agent', level: 'error', stderr: false, sinks: [] });
const link = createLinkServer({
  ...{ version: '0.0.0-storm', spool, failpoint, log, now: Date.now },
  ...{ hypervisor: standInHypervisor(0), commands: standInCommands() },
  services: [createQuestions(lineAnswerers(spool), { log })],
});
const { key, cert, ca } = order.identity;
const server = createServer({ key, cert, ca, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true });
const sockets = new WebSocketServer({ server, path: LINK_PATH, perMessageDeflate: false });
sockets.on('connection', (socket) => link.accept(socket));
server.listen(order.port, '127.0.0.1');

let written = 0;
/** A third waits for the manager; the rest comes in small pieces while it is there, so that every point is passed often. */
const EARLY = order.early === true ? order.lines : Math.floor(order.lines / 3);
function write(): void {
  const from = written;
  const room = written < EARLY ? 61 : link.state().connected ? 13 : 0;
  for (; written < order.lines && written - from < room; written += 1)
    spool.append({ tsMs: Date.now(), level: 'info', source: 'file', message: bodyOf(order.run, written) });
  if (written > from) tell({ t: 'called', run: order.run, upTo: written });
  spool.flush();
  if (written === order.lines && order.early === true) tell({ t: 'written', run: order.run });
  if (written === order.lines && spool.waiting().lines === 0) tell({ t: 'drained', run: order.run });
  else setTimeout(write, 2);
}
write();
// Whoever started us is gone.
process.stdin.on('end', () => process.exit()).resume();
