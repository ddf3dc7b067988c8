import Backbone from 'backbone';

/** A place of the console, as the address names it: `#/<page>[/<id>][?<query>]`. */
export interface Place {
  page: PageName;
  id: string;
  query: string;
}

export type PageName = 'live' | 'hosts' | 'host' | 'instances' | 'instance' | 'jobs' | 'job' | 'line' | 'not-found';

const LISTS: Record<string, PageName> = { live: 'live', hosts: 'hosts', instances: 'instances', jobs: 'jobs' };
const THINGS: Record<string, PageName> = { hosts: 'host', instances: 'instance', jobs: 'job', lines: 'line' };

/** Reads a fragment (without `#`). The empty one is the live stream; an id that cannot be decoded is not found. */
export function parsePlace(fragment: string): Place {
  const cut = fragment.indexOf('?');
  const path = (cut < 0 ? fragment : fragment.slice(0, cut)).replace(/^\/+|\/+$/g, '');
  const query = cut < 0 ? '' : fragment.slice(cut + 1);
  const [first = '', second, ...more] = path.split('/');
  if (path === '') return { page: 'live', id: '', query };
  try {
    if (second === undefined && LISTS[first] !== undefined) return { page: LISTS[first], id: '', query };
    if (second !== undefined && more.length === 0 && THINGS[first] !== undefined) {
      return { page: THINGS[first], id: decodeURIComponent(second), query };
    }
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

  go(place: string, replace = false): void {
    this.navigate(place, { trigger: true, replace });
  }
}
