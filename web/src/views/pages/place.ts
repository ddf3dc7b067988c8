/** A place of the console, as the address names it: `#/<page>[/<id>][?<query>]`. */
export interface Place {
  page: PageName;
  id: string;
  query: string;
}

export type PageName =
  | 'live'
  | 'hosts'
  | 'host'
  | 'instances'
  | 'instance'
  | 'images'
  | 'ledger'
  | 'jobs'
  | 'job'
  | 'line'
  | 'compute'
  | 'session'
  | 'rules'
  | 'rule'
  | 'not-found';

const LISTS = new Map<string, PageName>(
  Object.entries({
    live: 'live',
    hosts: 'hosts',
    instances: 'instances',
    images: 'images',
    ledger: 'ledger',
    jobs: 'jobs',
    compute: 'compute',
    rules: 'rules',
  }),
);
const THINGS = new Map<string, PageName>(
  Object.entries({
    hosts: 'host',
    instances: 'instance',
    jobs: 'job',
    lines: 'line',
    compute: 'session',
    rules: 'rule',
  }),
);

/** Reads a fragment (without `#`). The empty one is the live stream; an id that cannot be decoded is not found. */
export function parsePlace(fragment: string): Place {
  const cut = fragment.indexOf('?');
  const path = (cut < 0 ? fragment : fragment.slice(0, cut)).replace(/^\/+|\/+$/g, '');
  const query = cut < 0 ? '' : fragment.slice(cut + 1);
  const [first = '', second, ...more] = path.split('/');
  if (path === '') return { page: 'live', id: '', query };
  try {
    const page = (second === undefined ? LISTS : THINGS).get(first);
    if (page !== undefined && more.length === 0) return { page, id: decodeURIComponent(second ?? ''), query };
  } catch {
    // A broken percent sign: the address was cut or mistyped.
  }
  return { page: 'not-found', id: path, query };
}
