import type { LeadRow } from '../ports.ts';
import type { Session } from './session.ts';

/** Beside the places of the managers, in a part of its own: the row that says who leads. */
const PLACE = 'part = 1 AND lane = 0';

/**
 * The lead as a row that its owner renews and that ends by itself, by the clock of the nodes. A node counts in whole
 * seconds: it may end up to one sooner than it was asked for.
 */
export function createLead(session: Session): LeadRow {
  return {
    async hold(owner, ttlMs) {
      const seconds = Math.ceil(ttlMs / 1_000);
      const renew = `UPDATE lanes USING TTL ? SET manager = ? WHERE ${PLACE} IF manager = ?`;
      const [renewed] = await session.decide(renew, [seconds, owner, owner]);
      if (renewed?.['[applied]'] === true) return true;
      if (typeof renewed?.['manager'] === 'string') return false;
      const take = 'INSERT INTO lanes (part, lane, manager) VALUES (1, 0, ?) IF NOT EXISTS USING TTL ?';
      const [taken] = await session.decide(take, [owner, seconds]);
      return taken?.['[applied]'] === true;
    },
    async release(owner) {
      await session.decide(`DELETE FROM lanes WHERE ${PLACE} IF manager = ?`, [owner]);
    },
  };
}
