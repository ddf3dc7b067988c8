import type { WayIn } from '../../../common/model/way-in.ts';
import type { Models, ResourcesRow } from '../models/nouns.ts';
import type { Follows } from '../models/page-deps.ts';
import type { Feed } from './feed.ts';
import { rowsOf } from './list-sync.ts';

/** What pages may keep in step only while they look at it. */
export function createFollows({
  feed,
  models,
}: {
  feed: Pick<Feed, 'follow' | 'followList'>;
  models: Models;
}): Follows {
  return {
    ledger: () => feed.followList('/api/v1/ledger', models.ledger),
    waysIn: (take) =>
      feed.follow('/api/v1/intake', {
        take: (body) => take(rowsOf(body) as unknown as WayIn[]),
        fail: () => undefined,
      }),
    images: () => feed.followList('/api/v1/images', models.images),
    resources: (host) =>
      feed.follow(`/api/v1/hosts/${encodeURIComponent(host)}/resources`, {
        take(body) {
          // A fault of before is over; what is not sent any more must not stay.
          const next = { fault: undefined, cpuModel: undefined, arch: undefined, ...(body as Partial<ResourcesRow>) };
          models.resources.add({ ...next, host } as never, { merge: true });
        },
        fail(_code, message) {
          if (models.resources.get(host) === undefined) models.resources.add({ host, fault: message } as never);
        },
      }),
  };
}
