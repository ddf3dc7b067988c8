import { WebvirtError } from '../../../common/errors.ts';
import { LANES } from './layout.ts';
import type { Session } from './session.ts';

/** A manager that has not been seen for so long may be replaced by another. */
const LANE_TTL_SECONDS = 86_400;
const RENEW_EVERY_MS = 10 * 60_000;

/** The numbers and partitions that are this manager's own while it is seen once a day. */
export interface Lane {
  readonly number: number;
  /** Throws `store-unavailable` once another manager has it: the clocks, or a day without Cassandra. */
  mustBeOurs(): void;
  stop(): void;
}

/** Takes the lane that this manager had, or a free one. Throws `store-unavailable` when all are taken. */
export async function takeLane(session: Session, manager: string): Promise<Lane> {
  const number = await findLane(session, manager);
  let lost = false;
  const timer = setInterval(() => {
    renew(session, manager, number).then(
      (is) => {
        lost = !is;
      },
      // Nothing can be stored meanwhile either.
      () => undefined,
    );
  }, RENEW_EVERY_MS).unref();
  return {
    number,
    mustBeOurs() {
      if (lost)
        throw new WebvirtError('store-unavailable', 'Another manager has taken the place of this one: start it again', {
          manager,
          lane: number,
        });
    },
    stop: () => clearInterval(timer),
  };
}

async function findLane(session: Session, manager: string): Promise<number> {
  for (let tries = 0; tries < 3; tries += 1) {
    const rows = await session.decide('SELECT lane, manager FROM lanes WHERE part = 0', []);
    const own = rows.find((row) => row['manager'] === manager)?.['lane'] as number | undefined;
    if (own !== undefined && (await renew(session, manager, own))) return own;
    const taken = new Set(rows.map((row) => row['lane']));
    for (let lane = 0; lane < LANES; lane += 1) {
      if (taken.has(lane)) continue;
      const query = 'INSERT INTO lanes (part, lane, manager) VALUES (0, ?, ?) IF NOT EXISTS USING TTL ?';
      const [answer] = await session.decide(query, [lane, manager, LANE_TTL_SECONDS]);
      if (answer?.['[applied]'] === true) return lane;
    }
  }
  throw new WebvirtError(
    'store-unavailable',
    `${LANES} managers use this keyspace already; one that is gone for a day makes room`,
    { managers: LANES },
  );
}

async function renew(session: Session, manager: string, lane: number): Promise<boolean> {
  const query = 'UPDATE lanes USING TTL ? SET manager = ? WHERE part = 0 AND lane = ? IF manager = ?';
  const [answer] = await session.decide(query, [LANE_TTL_SECONDS, manager, lane, manager]);
  return answer?.['[applied]'] === true;
}
