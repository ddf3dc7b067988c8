import { join } from 'node:path';
import { noFailpoint } from '../../logging/failpoint.ts';
import { createLogger } from '../../logging/logger.ts';
import { createSpool } from '../../logging/spool/spool.ts';
import { createCommandRunner } from '../../node-agent/commands/runner.ts';
import { configOf } from '../../node-agent/config.ts';
import { createAutoEnrol } from '../../node-agent/identity/auto-enrol.ts';
import { enrol } from '../../node-agent/identity/enrol.ts';
import { openIdentity } from '../../node-agent/identity/identity.ts';
import { createHypervisor } from '../../node-agent/libvirt/hypervisor.ts';
import { createResources } from '../../node-agent/resources/resources.ts';
import { createHandlers } from '../../node-agent/serve/handlers.ts';
import { createLinkServer } from '../../node-agent/serve/link.ts';
import { createNodeServer } from '../../node-agent/serve/server.ts';
import { wallOffsetMs } from './clock.ts';
import { type TalkOrder, talk } from './talk.ts';

/**
 * The agent, put together from its own parts as `node-agent/agent.ts` does it, and told over IPC to log: its spool, its
 * link and its enrolment are the real ones, and what is timed are calls of its winston logger.
 */
const { dataDir, enrolFile } = JSON.parse(process.argv[2]!) as { dataDir: string; enrolFile: string };
const config = configOf({ dataDir, enrolFile, port: 0, libvirtUri: 'test:///default' });
const inData = (name: string) => join(dataDir, name);
const now = Date.now;
const failpoint = noFailpoint;
const name = 'talking';
const version = 'bench';

const identity = await openIdentity({ folder: inData('identity'), now });
const spool = createSpool({ path: inData('spool.sqlite'), capBytes: config.spool.cap, now });
const emit: typeof spool.append = (line) => spool.append(line);
const log = createLogger({ program: 'agent', level: 'info', stderr: false, sinks: [{ add: emit }], now });
const { libvirtUri: uri, sampleEvery: sampleEveryMs, virsh: virshPath, libvirtRunDir: runDir, qemuLogDir } = config;
const hypervisor = createHypervisor({ uri, sampleEveryMs, virshPath, qemuLogDir, runDir }, { emit, log, now });
const journal = { journalPath: inData('journal.sqlite'), capRows: config.journal.rows };
const commands = createCommandRunner(journal, { emit, log, now, hypervisor });
const link = createLinkServer({ version, spool, hypervisor, commands, failpoint, log, now });
const { pools, domainType } = config;
const resources = createResources({ pools, domainType, imagesPath: inData('images.json') }, { hypervisor, log });
let port = 0;
const handlers = createHandlers({
  ...{ hypervisor, commands, resources, spool, spoolCapBytes: config.spool.cap },
  status: () => ({
    ...{ id: identity.id, state: 'enrolled', version, name, port, startedMs: 0, managerUrl: null, enrolledMs: null },
    ...{ link: link.state(), libvirtAnswers: hypervisor.facts().libvirtAnswers, spool: spool.waiting() },
  }),
});
const server = createNodeServer(config, { identity, handlers, link, log });
port = await server.start();
await hypervisor.start();
await commands.start();
const enrolHere = (url: string, token: string) => enrol(url, token, { identity, port: () => port, name, now });
const auto = createAutoEnrol({ path: enrolFile }, { identity, enrol: enrolHere, log });
auto.start();

process.on('message', (order: TalkOrder) => {
  talk(order, wallOffsetMs(), (text) => log.info(text)).then(
    (calls) => process.send?.({ calls }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
// The bench went away, or is done with us.
process.on('disconnect', async () => {
  auto.stop();
  await commands.stop();
  await hypervisor.stop();
  link.stop();
  await server.stop();
  spool.close();
  process.exit(0);
});
process.send?.({ id: identity.id });
