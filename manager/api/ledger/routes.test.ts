import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LedgerEntry } from '../../../common/model/ledger.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import type { EpochLedger } from '../../store/ports.ts';
import { ledgerRoutes } from './routes.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const [OLD, NOW, GONE] = ['1'.repeat(16), '2'.repeat(16), '3'.repeat(16)];

function entry(agent: string, epoch: string): EpochLedger {
  const rest = { next: 10, lines: 8, lost: 2, firstMs: 1, lastMs: 2, gaps: [], gapCount: 1 };
  return { agent, host: agent, hostName: 'old name', epoch, ...rest };
}

let edge: Edge;
let audited: unknown[];
beforeEach(async () => {
  audited = [];
  const all = [entry(A, NOW), entry(A, OLD), entry(A, GONE), entry(B, NOW)];
  edge = await startEdge();
  await edge.swapRoutes(
    ledgerRoutes({
      lines: { ledger: async (agent) => all.filter((one) => agent === undefined || one.agent === agent) },
      intake: { heldEpochs: () => [OLD, NOW], duplicates: (_agent, epoch) => (epoch === NOW ? 3 : 0) },
      inventory: {
        host: (id) => ({ id, name: `host ${id[0]}`, state: id === A ? 'online' : 'lost', spoolLines: 7 }) as never,
      },
      fills: {
        fill: async (_agent, _epoch, { from = 0 }) => ({ filled: 1, stillMissing: from, reason: 'no more of them' }),
      },
      audit: (...said) => void audited.push(said),
    }),
  );
});
afterEach(() => edge.stop());

const headers = () => edge.bearer('admin').headers;
async function get(path: string) {
  return (await edge.ask(path, { headers: headers() })).json as { err: string | null; data: LedgerEntry[] };
}

it('says what waits where that is known, and by which name the host goes now', async () => {
  const { data } = await get('/api/v1/ledger');
  expect(data.map(({ hostName, epoch, waiting, duplicates }) => [hostName, epoch[0], waiting, duplicates])).toEqual([
    ['host a', '2', 7, 3],
    // Held by the agent with nothing in it; not held any more; of a host that does not answer.
    ['host a', '1', 0, 0],
    ['host a', '3', null, 0],
    ['host b', '2', null, 3],
  ]);
  expect((await get(`/api/v1/ledger?agent=${B}`)).data).toHaveLength(1);
});

it('answers one epoch, and that there is none', async () => {
  expect((await get(`/api/v1/ledger/${A}/${OLD}`)).data).toMatchObject({ epoch: OLD, next: 10, lines: 8, lost: 2 });
  expect((await get(`/api/v1/ledger/${B}/${OLD}`)).err).toBe('not-found');
  expect((await get(`/api/v1/ledger/${A}/x`)).err).toBe('bad-request');
});

it('fills with an honest outcome, on record', async () => {
  const asJson = { ...headers(), 'Content-Type': 'application/json' };
  const fill = (body: unknown) =>
    edge.ask(`/api/v1/ledger/${A}/${NOW}/fill`, { method: 'POST', headers: asJson, body: JSON.stringify(body) });
  const { json } = await fill({ from: 4, to: 9 });
  expect(json['data']).toEqual({ filled: 1, stillMissing: 4, reason: 'no more of them' });
  expect(audited).toMatchObject([
    ['info', 'a gap was to be filled', { agent: A, epoch: NOW, from: 4, to: 9, filled: 1 }],
  ]);
  expect((await fill({ from: -1 })).json.err).toBe('bad-request');
});
