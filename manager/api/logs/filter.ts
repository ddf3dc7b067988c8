import { WebvirtError } from '../../../common/errors.ts';
import type { LineFilter } from '../../store/ports.ts';

interface FilterQuery
  extends Partial<Record<'q' | 'level' | 'host' | 'instance' | 'source' | 'job' | 'session', string | undefined>> {
  from?: number | undefined;
  to?: number | undefined;
}

/** The store's filter of an address. Throws `bad-request` for a range that ends before it begins. */
export function filterOf({ q, level, host, instance, source, job, session, from, to }: FilterQuery): LineFilter {
  if (from !== undefined && to !== undefined && to < from)
    throw new WebvirtError('bad-request', 'query.to: lies before query.from');
  const parts = { q, level, host, instance, source, job, session, fromMs: from, toMs: to };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as LineFilter;
}
