import Backbone from 'backbone';

interface ConnectionState {
  state: 'connecting' | 'up' | 'down';
  /** When the present state began, our clock. */
  sinceMs: number;
  /** How often a connection came up in the life of this page. */
  times: number;
}

/** Whether the manager is heard now. Written by the feed alone. */
export class Connection extends Backbone.Model<ConnectionState> {
  override defaults(): ConnectionState {
    return { state: 'connecting', sinceMs: Date.now(), times: 0 };
  }

  up(): void {
    this.set({ state: 'up', sinceMs: Date.now(), times: this.get('times')! + 1 });
  }

  /** Keeps the moment of the first loss: retries that fail do not make the loss younger. */
  down(): void {
    if (this.get('state') !== 'down') this.set({ state: 'down', sinceMs: Date.now() });
  }
}
