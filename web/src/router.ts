import Backbone from 'backbone';
import { parsePlace } from './views/pages/place.ts';

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
