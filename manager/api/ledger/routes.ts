import { WebvirtError } from '../../../common/errors.ts';
import type { Host } from '../../../common/model/host.ts';
import type { LedgerEntry } from '../../../common/model/ledger.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import type { EpochLedger } from '../../store/ports.ts';
import { fillAnswer, fillBody, ledgerAnswer, ledgerListAnswer, ledgerParams, ledgerQuery } from './schema.ts';

export interface LedgerDeps {
  lines: { ledger(agent?: string): Promise<EpochLedger[]> };
  intake: {
    /** Epochs that the agent holds, the current one last; empty when it has not been here since the start. */
    heldEpochs(agent: string): string[];
    duplicates(agent: string, epoch: string): number;
  };
  inventory: { host(id: string): Host | null };
  fills: {
    fill(
      agent: string,
      epoch: string,
      range: { from?: number | undefined; to?: number | undefined },
    ): Promise<{ filled: number; stillMissing: number; reason: string | null }>;
  };
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

/** Each start of the manager is an epoch of its own: the list names the newest. */
const LISTED = 500;

/** What became of every number that was ever given to a line. */
export function ledgerRoutes({ lines, intake, inventory, fills, audit }: LedgerDeps): Route[] {
  function present(entry: EpochLedger): LedgerEntry {
    const { agent, epoch } = entry;
    const host = inventory.host(agent);
    const held = host?.state === 'online' ? intake.heldEpochs(agent) : [];
    // The agent says how many lines wait in all: they are those of its newest epoch, but for the moments after a change.
    const waiting = held.includes(epoch) ? (held.at(-1) === epoch ? host!.spoolLines : 0) : null;
    return {
      ...entry,
      // The name as it is now, where the host is still there.
      hostName: host?.name ?? entry.hostName,
      duplicates: intake.duplicates(agent, epoch),
      waiting,
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/ledger',
      summary: 'Read the loss ledger',
      purpose:
        'Says what became of every number that agents gave to their lines: stored, or missing and why. For each agent and ' +
        'epoch `next = lines + lost`, always. The epoch that was heard last comes first.',
      access: 'member',
      query: ledgerQuery,
      answer: ledgerListAnswer,
      live: { on: ['ledger', 'host'] },
      async handle({ query }) {
        return (await lines.ledger(query.agent)).slice(0, LISTED).map(present);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/ledger/:agent/:epoch',
      summary: 'Read the ledger of one epoch',
      purpose: 'Reads what became of the numbers of one epoch of one agent, with its newest gaps.',
      access: 'member',
      params: ledgerParams,
      answer: ledgerAnswer,
      live: { on: ['ledger', 'host'] },
      async handle({ params }) {
        const entry = (await lines.ledger(params.agent)).find(({ epoch }) => epoch === params.epoch);
        if (entry === undefined)
          throw new WebvirtError('not-found', 'Nothing was ever received of this epoch of this agent.');
        return present(entry);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/ledger/:agent/:epoch/fill',
      summary: 'Fill a gap from the spool',
      purpose:
        'Asks the agent for lines that are missing and stores those that its spool still has, each once. The answer says how ' +
        'many came, how many are still missing, and why.',
      access: 'admin',
      params: ledgerParams,
      body: fillBody,
      answer: fillAnswer,
      example: { from: 1200, to: 1399 },
      errors: ['not-found', 'store-unavailable'],
      async handle({ params, body, principal, peer }) {
        const { agent, epoch } = params;
        const outcome = await fills.fill(agent, epoch, body);
        audit('info', 'a gap was to be filled', {
          ...{ email: principal!.name, address: peer.address, agent, epoch, ...body, ...outcome },
        });
        return outcome;
      },
    }),
  ];
}
