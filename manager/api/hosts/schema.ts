import { z } from 'zod';
import { hostSchema } from '../../../common/model/host.ts';
import { hostResourcesSchema } from '../../../common/model/resources.ts';

/** A host's id is the id of its agent: 32 hex digits. */
export const hostParams = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a host') });
export const hostListAnswer = z.array(hostSchema);
export const hostAnswer = hostSchema;
export const hostResourcesAnswer = hostResourcesSchema.extend({
  host: z.string(),
  hostName: z.string(),
  /** True while the host does not answer: this is then the last that is known. */
  stale: z.boolean(),
});
