import type { NumberedEvent, Session } from '../../common/model/compute.ts';
import { type Completion, createCompletions, nothing } from './completions.ts';
import { type Computation, presentComputation, stateOf } from './computation.ts';
import { type ComputeHostService, createHostSide } from './host-side.ts';
import { createJournal } from './journal.ts';
import { createOutput } from './output.ts';
import type {
  Attachment,
  CellRequest,
  ComputeConfig,
  ComputeDeps,
  HostedServer,
  OpenRequest,
  RunAnswer,
  RunRequest,
  Viewer,
} from './ports.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createRequests } from './requests.ts';
import { createRun } from './run.ts';
import { createServers } from './servers.ts';
import { createSweep } from './sweep.ts';

export { COMPUTE_DEFAULTS } from './ports.ts';

/** Largest piece of output that one call reads, bytes. */
const READ_BYTES = 4 * 1024 * 1024;

/** The computations of the fleet. Errors are those of the catalogue; after one of them nothing was done. */
export interface Compute {
  /** Registered with the links. */
  hostService: ComputeHostService;
  servers(): HostedServer[];
  /** Newest first, ended ones included as long as they are kept. */
  list(): Session[];
  /** Throws `not-found`, as every call with an id does. */
  get(id: string): Session;
  /** Answers at once; the session may still be starting. */
  open(request: OpenRequest): Session;
  execute(id: string, request: CellRequest): { cell: number };
  interrupt(id: string, actor: string): void;
  terminate(id: string, actor: string): Session;
  run(request: RunRequest): Promise<RunAnswer>;
  /** `end`: nothing more will come. */
  output(id: string, from: number, limit: number): { events: NumberedEvent[]; next: number; end: boolean };
  attach(id: string, from: number, viewer: Viewer): Attachment;
  complete(id: string, code: string, cursor: number): Promise<Completion>;
  start(): void;
  /** Resolves when what happened is on the disk. Sessions go on without us. */
  stop(): Promise<void>;
}

export function createCompute(config: ComputeConfig, deps: ComputeDeps): Compute {
  const { store, inventory, link, bus, log } = deps;
  const nowMs = deps.nowMs ?? Date.now;
  const monotonicMs = deps.monotonicMs ?? (() => performance.now());
  const journal = createJournal({
    ...{ store, log },
    onSynced(nextN) {
      for (const [id, next] of nextN) {
        const computation = registry.get(id);
        if (computation === undefined || computation.syncedN >= next) continue;
        computation.syncedN = next;
        link.send(computation.record.host, { t: 'compute-ack', session: id, next });
      }
    },
  });
  const registry: Registry = createRegistry({ store, journal, bus, log, nowMs, monotonicMs });
  const servers = createServers({ inventory, sessionsOn: (hostId) => registry.live(hostId).length });
  const requests = createRequests(config, { registry, servers, store, link, log, nowMs });
  const completions = createCompletions(config, requests);
  const output = createOutput({ store, journal, monotonicMs });
  const hostService = createHostSide(config, { registry, requests, servers, completions, store, link, bus, log });
  const sweep = createSweep(config, { registry, requests, servers, inventory, log, nowMs, monotonicMs });
  let timer: NodeJS.Timeout | null = null;

  function touched(id: string): Computation {
    const computation = registry.mustGet(id);
    computation.touchedMs = monotonicMs();
    return computation;
  }

  return {
    hostService,
    servers: servers.list,
    list: () => registry.all().map(presentComputation),
    get: (id) => presentComputation(registry.mustGet(id)),
    open: (request) => presentComputation(requests.open(request).computation),
    execute: requests.execute,
    interrupt: requests.interrupt,
    terminate: requests.terminate,
    run: createRun({ requests, output, nowMs }),
    output(id, from, limit) {
      const computation = touched(id);
      const { events } = output.read(computation, from, limit, READ_BYTES);
      const next = Math.min(from, computation.record.nextSeq) + events.length;
      return { events, next, end: computation.record.death !== null && next >= computation.record.nextSeq };
    },
    attach: (id, from, viewer) => output.attach(registry.mustGet(id), from, viewer),
    async complete(id, code, cursor) {
      const computation = touched(id);
      // Busy or away: nothing is known, and nobody who types wants an error.
      return stateOf(computation) === 'idle' ? completions.ask(computation, code, cursor) : nothing(cursor);
    },
    start() {
      timer = setInterval(() => {
        try {
          sweep();
        } catch (error) {
          log.error('Computations could not be looked after', { reason: String(error) });
        }
      }, config.sweepMs);
      timer.unref();
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      await journal.stop();
    },
  };
}
