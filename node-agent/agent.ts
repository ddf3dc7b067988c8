import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Failpoint } from '../logging/failpoint.ts';
import { createLogger, errorFields, type Logger } from '../logging/logger.ts';
import { createSpool, type Spool } from '../logging/spool/spool.ts';
import { createMigrationSide, type MigrationSide } from './commands/migration-side.ts';
import { createLaunchProcedures } from './commands/procedures/launch-procedures.ts';
import { type CommandRunner, createCommandRunner } from './commands/runner.ts';
import { createScopes, type Scopes } from './commands/scope.ts';
import { COMPUTE_DEFAULTS, createCompute } from './compute/compute.ts';
import type { AgentConfig } from './config.ts';
import { consoleInstances } from './console/console-instances.ts';
import { CONSOLES_DEFAULTS, createConsoles } from './console/consoles.ts';
import { createGuestTurns, type GuestTurns } from './console/guest-turns.ts';
import { createAutoEnrol } from './identity/auto-enrol.ts';
import { enrol } from './identity/enrol.ts';
import { openIdentity } from './identity/identity.ts';
import { createHypervisor, type Hypervisor } from './libvirt/hypervisor.ts';
import { createResources, type Resources } from './resources/resources.ts';
import { createHandlers } from './serve/handlers.ts';
import { createLinkServer } from './serve/link.ts';
import { lineAnswerers } from './serve/link-lines.ts';
import { createLocalSocket } from './serve/local-socket.ts';
import { createQuestions } from './serve/questions.ts';
import type { AgentStatus } from './serve/routes.ts';
import { createNodeServer } from './serve/server.ts';
import type { LinkService } from './serve/services.ts';
import type { Source } from './sources/source.ts';
import { createSources } from './sources/sources.ts';

export interface AgentDeps {
  version: string;
  failpoint: Failpoint;
  /** Human text of every line on stderr. */
  stderr: boolean;
}

export interface Agent {
  /** Resolves with its status when the port is open. Rejects when it cannot be. */
  start(): Promise<AgentStatus>;
  /** Stops in the reverse order; one part that fails does not keep the others. */
  stop(): Promise<void>;
  status(): AgentStatus;
  /** Writes an error that nobody caught into the stream, durably: the process is to end next. */
  failed(error: unknown): void;
}

/** The whole agent: builds every part and hands each what it needs. Nothing runs before `start`. */
export async function createAgent(config: AgentConfig, { version, failpoint, stderr }: AgentDeps): Promise<Agent> {
  const now = Date.now;
  const inData = (name: string) => join(config.dataDir, name);
  const identity = await openIdentity({ folder: inData('identity'), now });
  const spool = openSpool(inData('spool.sqlite'), config, failpoint);
  const scopes = createScopes();
  const emit: Spool['append'] = (line, place) => spool.append(scopes.mark(line), place);
  const log = createLogger({
    program: 'agent',
    level: config.logLevel,
    stderr,
    sinks: [{ add: (line) => emit(line) }],
    now,
  });
  const turns = createGuestTurns();
  const tell = (line: Parameters<Spool['append']>[0]) => {
    emit(line);
    turns.hear(line);
  };
  const { hypervisor, resources, migration, commands } = openLibvirtSide(config, inData, {
    ...{ emit: tell, log, now, scopes },
  });
  const sources = openSources(config, { emit, log, now, spool, hypervisor, turns });

  const name = hostname();
  const startedMs = now();
  let port = config.port;
  const compute = createCompute(
    { ...COMPUTE_DEFAULTS, socketPath: config.compute.socket || inData('compute.sock') },
    { emit, log, now },
  );
  const consoles = createConsoles({ ...CONSOLES_DEFAULTS, virshPath: config.virsh }, { hypervisor, log });
  const answerers = { ...migration.answerers, 'console-open': consoles.open, ...lineAnswerers(spool) };
  const questions = createQuestions(answerers, { log });
  const services: LinkService[] = [resources.service, compute.service, questions, scopes.service, consoles.service];
  const link = createLinkServer({ version, spool, hypervisor, commands, services, failpoint, log, now });
  const status = (): AgentStatus => ({
    id: identity.id,
    state: identity.enrolment() === null ? 'unenrolled' : 'enrolled',
    version,
    name,
    port,
    startedMs,
    managerUrl: identity.enrolment()?.url ?? null,
    enrolledMs: identity.enrolment()?.enrolledMs ?? null,
    link: link.state(),
    libvirtAnswers: hypervisor.facts().libvirtAnswers,
    spool: spool.waiting(),
  });
  const handlers = createHandlers({ hypervisor, commands, resources, spool, spoolCapBytes: config.spool.cap, status });
  const server = createNodeServer(config, { identity, handlers, link, log });
  const enrolHere = async (url: string, token: string) => {
    await enrol(url, token, { identity, port: () => port, name, now });
    log.info('Enrolled with a manager', { url, source: 'audit' });
  };
  const local = createLocalSocket({ path: inData('agent.sock') }, { status, enrol: enrolHere, log });
  const auto = createAutoEnrol({ path: config.enrolFile }, { identity, enrol: enrolHere, log });

  const stops: [part: string, stop: () => unknown][] = [['spool', () => spool.close()]];
  return {
    status,
    failed(error) {
      log.error('The agent failed inside and ends', errorFields(error));
      spool.flush();
    },
    async start() {
      log.info('The agent starts', { version, id: identity.id });
      await local.start();
      stops.push(['local socket', local.stop]);
      port = await server.start();
      stops.push(['port', server.stop], ['consoles', consoles.stop], ['link', link.stop]);
      stops.push(
        ['hypervisor', () => hypervisor.stop()],
        ['commands', () => commands.stop()],
        ['migrations', migration.stop],
      );
      compute.start();
      stops.push(['compute', compute.stop]);
      await hypervisor.start();
      // After the hypervisor: a log is resolved to its instance by the inventory.
      await sources.start();
      stops.push(['sources', () => sources.stop()]);
      await resources.start();
      stops.push(['resources', resources.stop]);
      await commands.start();
      if (config.enrolFile !== '') auto.start();
      stops.push(['enrolment', auto.stop]);
      return status();
    },
    async stop() {
      log.info('The agent stops', {});
      for (const [part, stop] of stops.splice(0).reverse()) {
        try {
          await stop();
        } catch (error) {
          log.error('A part could not be stopped', { part, ...errorFields(error) });
        }
      }
    },
  };
}

function openSpool(path: string, config: AgentConfig, failpoint: Failpoint): Spool {
  let saidMs = 0;
  return createSpool(
    { path, capBytes: config.spool.cap, now: Date.now },
    {
      failpoint,
      onTrouble(error) {
        // Not through the logger: its lines would wait behind the ones that cannot be written.
        if (Date.now() - saidMs < 10_000) return;
        saidMs = Date.now();
        process.stderr.write(`agent: lines cannot be written to ${path} and wait in memory: ${error.message}\n`);
      },
    },
  );
}

/** The parts that another room makes: libvirt, and the commands that act on it. */
function openLibvirtSide(
  config: AgentConfig,
  inData: (name: string) => string,
  deps: { emit: Spool['append']; log: Logger; now(): number; scopes: Scopes },
): {
  hypervisor: Hypervisor;
  resources: Resources;
  migration: MigrationSide;
  commands: CommandRunner;
} {
  const { libvirtUri: uri, virsh: virshPath, libvirtRunDir: runDir, qemuLogDir, sampleEvery: sampleEveryMs } = config;
  const hypervisor = createHypervisor(
    { uri, sampleEveryMs, virshPath, qemuLogDir, runDir, xmlDir: resolve(inData('define')) },
    { ...deps, moving: deps.scopes.moving },
  );
  const { pools, domainType, consoleLogDir, qemuImg: qemuImgPath } = config;
  const resources = createResources({ pools, domainType, imagesPath: inData('images.json') }, { ...deps, hypervisor });
  const procedures = createLaunchProcedures(
    { qemuImgPath, consoleLogDir, removalsDir: inData('removals') },
    { resources, hypervisor, now: deps.now },
  );
  const migration = createMigrationSide(
    {
      ...{ uri, virshPath, runDir, peerUri: config.libvirtPeerUri },
      ...{ keepDir: resolve(inData('moved')), giveUpMs: config.migration.giveUp, connectMs: config.migration.connect },
    },
    { ...deps, hypervisor },
  );
  const journalPath = inData('journal.sqlite');
  const commands = createCommandRunner(
    { journalPath, capRows: config.journal.rows },
    { ...deps, hypervisor, procedures: [...procedures, ...migration.procedures] },
  );
  return { hypervisor, resources, migration, commands };
}

function openSources(
  { qemuLogDir, consoleLogDir, sources }: AgentConfig,
  deps: { emit: Spool['append']; log: Logger; now(): number; spool: Spool; hypervisor: Hypervisor; turns: GuestTurns },
): Source {
  const { spool, hypervisor } = deps;
  const { lookEvery: lookEveryMs, behind: behindBytes, lineCap: lineCapBytes } = sources;
  const { enabled, partialAfter: partialAfterMs, behind } = sources.console;
  const console = enabled ? { consoleLogDir, partialAfterMs, behindBytes: behind, hostName: hostname() } : null;
  const journal = sources.journal.enabled ? sources.journal : null;
  const rules = sources.files.map(({ startWait, ...rule }) => ({ ...rule, startWaitMs: startWait }));
  return createSources(
    { ...sources, qemuLogDir, lookEveryMs, behindBytes, lineCapBytes, rules, journal, console },
    {
      ...deps,
      places: spool.places,
      unwrittenBytes: spool.unwrittenBytes,
      idOf: (name) => hypervisor.instances().find((instance) => instance.name === name)?.id,
      consoles: consoleInstances(hypervisor, deps.turns),
    },
  );
}
