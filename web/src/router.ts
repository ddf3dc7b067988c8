import Backbone from 'backbone';

/** A place of the console, as the address names it: `#/<page>[/<id>][?<query>]`. */
export interface Place {
  page: PageName;
  id: string;
  query: string;
}

export type PageName = 'live' | 'hosts' | 'host' | 'instances' | 'instance' | 'jobs' | 'job' | 'line' | 'not-found';

const LISTS = new Map<string, PageName>(
  Object.entries({ live: 'live', hosts: 'hosts', instances: 'instances', jobs: 'jobs' }),
);
const THINGS = new Map<string, PageName>(
  Object.entries({ hosts: 'host', instances: 'instance', jobs: 'job', lines: 'line' }),
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

/**
 * The addresses of the console. They stand behind `#`, so that a link works whatever serves the page and survives the
 * way through the sign-in form. Event: `place` with a Place.
 */
export class Router extends Backbone.Router {
  override preinitialize(): void {
    this.routes = { '*any': 'any' };
  }

  any(): void {
    this.trigger('place', parsePlace(Backbone.history.getFragment()));
  }

  /** Goes to a place (`/live?…`). Backbone's `navigate` would eat the first slash, and links would have two forms. */
  go(place: string, replace = false): void {
    if (replace) window.location.replace(`#${place}`);
    else window.location.hash = place;
  }
}
