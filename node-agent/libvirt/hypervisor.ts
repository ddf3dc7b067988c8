import type { HostFacts, HostLoad } from '../../common/model/host.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { NewLine } from '../../common/model/line.ts';
import { type Connection, createConnection } from './connection.ts';
import { createIoCounters } from './counters.ts';
import { createGuestProcesses } from './guest-processes.ts';
import { machineFacts, parseHostUuid, parseVersion } from './host-facts.ts';
import { createHostLoad } from './host-load.ts';
import { createTeller, type HypervisorHandler } from './hypervisor-events.ts';
import { limitedText } from './limited-text.ts';
import type { Log } from './log.ts';
import { createSampler } from './sampler.ts';
import { testDriverUse } from './test-driver.ts';
import { createVirshActions, type VirshActions } from './virsh-actions.ts';
import { createVirshChildren } from './virsh-children.ts';

export interface HypervisorConfig {
  uri: string;
  sampleEveryMs: number;
  virshPath: string;
  qemuLogDir: string;
  /** Where libvirt keeps its pid files; another place only where libvirt runs in a namespace of its own. */
  runDir?: string;
  /** The /proc in which the pids of those files count; likewise. */
  procDir?: string;
  /** Absolute folder of our own for the XML that virsh is given; without one nothing can be defined. */
  xmlDir?: string;
  /** How long one read may take before libvirt counts as not answering. */
  readDeadlineMs?: number;
}

/** The libvirt of this host. Answers from memory; what it holds is kept right by events and re-reads. */
export interface Hypervisor extends VirshActions {
  /** Resolves within half a second, with the first list when libvirt answers by then. Never rejects. */
  start(): Promise<void>;
  stop(): Promise<void>;
  facts(): HostFacts;
  load(): HostLoad | null;
  instances(): AgentInstance[];
  instance(id: string): AgentInstance | undefined;
  /** UUID of the instance that has this name now, as far as we know. */
  idOf(name: string): string | undefined;
  /** False until a whole list was read once: an empty list then means "not known", not "none". */
  listed(): boolean;
  on(handler: HypervisorHandler): () => void;
}

const MAX_VIRSH = 8;
const FIRST_LIST_MS = 450;
const FALLBACK_URI = 'test:///default';

export function createHypervisor(
  config: HypervisorConfig,
  deps: {
    emit(line: NewLine): void;
    log: Log;
    now(): number;
    /** Whether the instance of this name is about to leave or to come; nobody asks about it while it is handed over. */
    moving?: (name: string) => boolean;
  },
): Hypervisor {
  const { log } = deps;
  const procDir = config.procDir ?? '/proc';
  const children = createVirshChildren({ virshPath: config.virshPath, limit: MAX_VIRSH });
  const guests = createGuestProcesses({ runDir: config.runDir ?? '/run/libvirt', procDir });
  const io = createIoCounters();
  const machine = machineFacts(procDir);
  const teller = createTeller((error) => log.error('a handler of hypervisor events failed', { reason: String(error) }));
  const connect = (
    uri: string,
    hooks: { onListed(): void; onDown: Parameters<typeof createConnection>[2]['onDown'] },
  ) =>
    createConnection(
      {
        uri,
        events: !uri.startsWith('test:'),
        deadlineMs: config.readDeadlineMs ?? 4_000,
        connectDeadlineMs: config.readDeadlineMs ?? 5_000,
      },
      { children, log, emit: deps.emit, moving: deps.moving },
      {
        ...hooks,
        onChanges({ changed, gone }) {
          for (const id of gone) teller.tell({ t: 'gone', id });
          for (const id of changed) teller.tell({ t: 'instance', id });
        },
      },
    );

  const wanted = connect(config.uri, { onListed: () => listedWanted(), onDown: (why) => void downWanted(why) });
  let fallback: Connection | null = null;
  /** Which connection is shown. It stays when libvirt stops answering: unknown is not gone. */
  let active: Connection = wanted;
  let missing = false;
  let answers = false;
  let everListed = false;
  let stopped = false;
  /** Ends reads that run as children of their own. Operations are never ended by a stop: the journal takes them up again. */
  const closing = new AbortController();
  let hostUuid: string | undefined;
  let versions: ReturnType<typeof parseVersion> = {};
  let lastLoad: HostLoad | null = null;
  let firstList: () => void = () => undefined;

  function listedWanted(): void {
    if (!answers || active !== wanted)
      log.info('libvirt answers', { uri: config.uri, instances: wanted.inventory.list().length });
    active = wanted;
    fallback?.stop();
    fallback = null;
    shown(config.uri);
  }

  function shown(uri: string): void {
    missing = false;
    answers = true;
    everListed = true;
    teller.tell({ t: 'relisted' });
    teller.tell({ t: 'host' });
    firstList();
    void learn(uri);
  }

  async function downWanted(why: { reason: string; missing: boolean; hung: boolean }): Promise<void> {
    if (stopped || fallback !== null) return;
    const first = !everListed && !missing;
    if (answers || first)
      log.warn('libvirt does not answer', { uri: config.uri, reason: why.reason.slice(0, 512), hung: why.hung });
    const changed = answers || missing !== why.missing || first;
    answers = false;
    missing = why.missing;
    if (changed) teller.tell({ t: 'host' });
    if (missing) return firstList();
    // Guests that run without their daemon are real: showing a made-up one instead would be a lie.
    if (everListed || why.hung || config.uri.startsWith('test:') || (await guests.any())) return;
    if (stopped || wanted.up() || fallback !== null) return;
    const spare = connect(FALLBACK_URI, {
      onListed: () => {
        if (fallback !== spare) return;
        active = spare;
        log.warn('no libvirt daemon was reachable, the test driver is shown instead', { uri: config.uri });
        shown(FALLBACK_URI);
      },
      onDown: () => {
        if (fallback !== spare) return;
        answers = false;
        teller.tell({ t: 'host' });
      },
    });
    fallback = spare;
    spare.start();
  }

  /**
   * Versions and the host's UUID. Not through the shell: a libvirtd that was just started looks at every QEMU binary
   * first, which takes seconds, and the shell would count as hung.
   */
  async function learn(uri: string): Promise<void> {
    const read = async (word: string) => {
      const options = { deadlineMs: 30_000, signal: closing.signal };
      const outcome = await children.run(['-q', '-c', uri, word], options);
      return outcome.ended === 'exit' ? outcome.stdout : '';
    };
    versions = parseVersion(await read('version'));
    if (uri === config.uri) hostUuid = parseHostUuid(await read('capabilities')) ?? hostUuid;
    if (!stopped) teller.tell({ t: 'host' });
  }

  async function readIo(): Promise<void> {
    if (driver() !== 'qemu' || !answers) return;
    const words = ['domstats', '--block', '--interface', '--nowait', '--list-running'];
    const outcome = await children.run(['-q', '-c', config.uri, ...words], {
      deadlineMs: 15_000,
      signal: closing.signal,
    });
    if (outcome.ended === 'exit') io.read(outcome.stdout, active.inventory.idOf, performance.now());
  }

  const uri = () => (active === wanted ? config.uri : FALLBACK_URI);
  const driver = () => (missing ? 'none' : (/^[a-z]+/.exec(uri())?.[0] ?? 'unknown').slice(0, 32));
  const sampler = createSampler(
    { everyMs: config.sampleEveryMs },
    {
      now: deps.now,
      relist: async () => void (await active.relist(false)),
      running: () => active.inventory.list().filter(({ state }) => state === 'running' || state === 'paused'),
      use: (running) => (driver() === 'test' ? testDriverUse(active.ask, running) : guests.read()),
      io: io.of,
      readIo: () => void readIo(),
      load: createHostLoad({ procDir }, deps.now),
      deliver(tsMs, list, load) {
        lastLoad = load;
        teller.tell({ t: 'samples', tsMs, list, load });
      },
    },
  );

  return {
    ...createVirshActions({
      children,
      connection: () => active,
      uri,
      driver,
      xmlDir: config.xmlDir,
      closing: closing.signal,
    }),
    async start() {
      let timer: NodeJS.Timeout | undefined;
      const listed = new Promise<void>((resolve) => {
        firstList = resolve;
        timer = setTimeout(resolve, FIRST_LIST_MS);
      });
      wanted.start();
      await listed;
      clearTimeout(timer);
      sampler.start();
    },
    async stop() {
      stopped = true;
      closing.abort();
      sampler.stop();
      wanted.stop();
      fallback?.stop();
    },
    facts() {
      const limited = limitedText({ driver: driver(), uri: uri(), wantedUri: config.uri, answers });
      return {
        ...machine,
        ...(hostUuid === undefined ? {} : { hostUuid }),
        hypervisor: { driver: driver(), uri: uri().slice(0, 255), ...versions },
        ...(limited === null ? {} : { limited }),
        libvirtAnswers: answers,
      };
    },
    load: () => lastLoad,
    instances: () => active.inventory.list(),
    instance: (id) => active.inventory.get(id),
    idOf: (name) => active.inventory.idOf(name),
    listed: () => everListed,
    on: teller.on,
  };
}
