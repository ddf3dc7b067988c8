import type { KeepMark, SavedSearch } from '../../common/model/search.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { Bus } from '../bus/bus.ts';
import type { StateStore, StoredDestination, StoredRule } from '../store/ports.ts';
import type { Adopters } from './shared-state.ts';

export interface AdoptDeps {
  state: Pick<StateStore, 'searches' | 'keeps' | 'destinations'>;
  bus: Bus;
  alerts: Pick<Alerts, 'lead' | 'follow' | 'handOver'> & { rules: Pick<Alerts['rules'], 'adopt'> };
}

/** How documents of other managers come to be here, and whoever looks at them hears of it. */
export function adoptersOf({ state, bus, alerts }: AdoptDeps): Adopters {
  return {
    search(id: string, search: SavedSearch | null) {
      if (search === null) state.searches.remove(id);
      else if (!state.searches.put(search)) {
        // Its owner gave one name on two managers before they knew of each other: both stay.
        state.searches.put({ ...search, name: `${search.name} (${id.slice(0, 6)})` });
      }
      bus.emit('search', { id });
    },
    keep(id: string, mark: KeepMark | null) {
      if (mark === null) state.keeps.remove(id);
      else state.keeps.put(mark);
      bus.emit('keep', { id });
    },
    rule: (id: string, rule: StoredRule | null) => alerts.rules.adopt(id, rule),
    destination(id: string, destination: StoredDestination | null) {
      if (destination === null) state.destinations.remove(id);
      else state.destinations.put(destination);
      bus.emit('destination', { id });
    },
  };
}
