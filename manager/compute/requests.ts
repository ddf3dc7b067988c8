import { createHash, randomBytes } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { Session } from '../../common/model/compute.ts';
import type { ComputeRequest } from '../../common/wire/services.ts';
import type { ComputeStore, StoredComputation } from '../store/ports.ts';
import { type Computation, presentComputation } from './computation.ts';
import type { CellRequest, ComputeConfig, ComputeLink, ComputeLog, OpenRequest } from './ports.ts';
import type { Registry } from './registry.ts';
import type { Servers } from './servers.ts';

/** What people ask of sessions. Everything is sent at once; nothing waits for a disk or a host. */
export interface Requests {
  /** `code`: the session is for this one cell, which is part of what its opId stands for; `keep` false: it ends with it. */
  open(request: OpenRequest & { code?: string; keep?: boolean }): { computation: Computation; isNew: boolean };
  execute(id: string, request: CellRequest): { cell: number };
  interrupt(id: string, actor: string): void;
  terminate(id: string, actor: string): Session;
  /** Ends it for a reason of our own. */
  end(computation: Computation, reason: string): void;
  send(computation: Computation, request: ComputeRequest): boolean;
}

const LIMIT_CODE_BYTES = 768 * 1024;
const AUDIT_DELAY_MS = 50;

export function createRequests(
  config: ComputeConfig,
  deps: {
    registry: Registry;
    servers: Servers;
    store: Pick<ComputeStore, 'cellByOpId'>;
    link: ComputeLink;
    log: ComputeLog;
    nowMs(): number;
  },
): Requests {
  const { registry, servers, store, link, log, nowMs } = deps;

  const send: Requests['send'] = ({ record }, request) =>
    link.send(record.host, { t: 'compute', session: record.id, request });

  function mustLive(computation: Computation): void {
    const { id, death, ending } = computation.record;
    if (death !== null)
      throw new WebvirtError('session-ended', `Session ${id} has ended (${death.cause}): ${death.text}`);
    if (ending !== null) throw new WebvirtError('session-ended', `Session ${id} is being ended: ${ending}`);
    if (!computation.online)
      throw new WebvirtError(
        'host-unreachable',
        `Host ${computation.record.hostName} of this session does not answer now, so nothing was done. Try again when it is online.`,
      );
  }

  function end(computation: Computation, reason: string): void {
    computation.record.ending ??= reason;
    registry.changed(computation);
    // A host that cannot be told now is told as soon as it is back.
    if (computation.online) send(computation, { op: 'terminate', reason: computation.record.ending });
  }

  /** One message to an agent holds it: a larger one would cost the host its link. */
  function mustFit(code: string): void {
    if (Buffer.byteLength(JSON.stringify(code)) > LIMIT_CODE_BYTES)
      throw new WebvirtError('too-large', `A cell may have at most ${LIMIT_CODE_BYTES / 1024} KiB, written as JSON.`);
  }

  return {
    send,
    end,
    open({ kernel, host, title = '', opId, owner, code, keep = true }) {
      const argsHash = hashOf([code === undefined ? 'session' : 'run', owner, kernel, host ?? null, title, code, keep]);
      if (code !== undefined) mustFit(code);
      const existing = opId === undefined ? undefined : registry.get(opId);
      if (existing !== undefined) {
        if (existing.record.argsHash !== argsHash) throw reused(opId!);
        return { computation: existing, isNew: false };
      }
      if (registry.live().filter(({ record }) => record.owner === owner).length >= config.perOwner)
        throw new WebvirtError(
          'too-many-requests',
          `You have ${config.perOwner} sessions open, which is the limit. End one first.`,
        );
      const place = servers.choose({ kernel, host });
      const record: StoredComputation = {
        ...{ id: opId ?? randomBytes(12).toString('base64url'), kernel, title, owner, argsHash },
        ...{ host: place.id, hostName: place.name, createdMs: nowMs(), endedMs: null, opened: false },
        ...{ cells: 0, runningCell: null, openCells: [], nextSeq: 0, nextN: 0, outputBytes: 0 },
        ...{ ending: null, lastCell: keep ? null : 1, death: null },
      };
      const computation = registry.create(record);
      computation.online = true;
      computation.pinned = host !== undefined;
      // A moment later: storing a line keeps this process busy just when the result comes.
      setTimeout(() => {
        const about = { session: record.id, kernel, host: place.id, actor: owner };
        log.info('Computation session asked for', { source: 'audit', ...about });
      }, AUDIT_DELAY_MS);
      if (!send(computation, { op: 'open', kernel, owner }))
        registry.die(computation, 'refused', `Host ${place.name} could not be told`);
      return { computation, isNew: true };
    },
    execute(id, { code, replaces, after, opId, actor }) {
      const computation = registry.mustGet(id);
      const { record } = computation;
      mustFit(code);
      const place = { ...(replaces === undefined ? {} : { replaces }), ...(after === undefined ? {} : { after }) };
      const hash = hashOf([actor, code, place]);
      const before = opId === undefined ? null : store.cellByOpId(id, opId);
      if (before !== null) {
        if (before.hash !== hash) throw reused(opId!);
        return { cell: before.cell };
      }
      mustLive(computation);
      if (record.openCells.length >= config.openCells)
        throw new WebvirtError('too-many-requests', `${config.openCells} cells of this session wait already.`);
      const last = record.cells;
      for (const named of Object.values(place)) {
        if (named > last) throw new WebvirtError('bad-request', `There is no cell ${named}; the last one is ${last}.`);
      }
      const cell = last + 1;
      const input = { tsMs: nowMs(), event: { type: 'input' as const, cell, code, actor, ...place } };
      registry.mustPublish(computation, input, opId === undefined ? undefined : { opId, hash });
      if (!record.opened) computation.unopened.push({ cell, code });
      send(computation, { op: 'execute', cell, code });
      return { cell };
    },
    interrupt(id, actor) {
      const computation = registry.mustGet(id);
      mustLive(computation);
      log.info('Computation interrupted', { source: 'audit', session: id, actor });
      send(computation, { op: 'interrupt' });
    },
    terminate(id, actor) {
      const computation = registry.mustGet(id);
      if (computation.record.death === null && computation.record.ending === null) {
        log.info('Computation session stopped', { source: 'audit', session: id, actor });
        end(computation, `stopped by ${actor}`);
      }
      return presentComputation(computation);
    },
  };
}

function hashOf(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function reused(opId: string): WebvirtError {
  return new WebvirtError('op-id-reused', `The opId ${opId} already stands for another computation.`);
}
