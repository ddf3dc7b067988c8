import { z } from 'zod';
import { hostSchema } from '../../../common/model/host.ts';

/** A host's id is the id of its agent: 32 hex digits. */
export const hostParams = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a host') });
export const hostListAnswer = z.array(hostSchema);
export const hostAnswer = hostSchema;
