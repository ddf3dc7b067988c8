import { Emitter } from './emitter.ts';

/**
 * Instances with an action of ours that has been sent and has no outcome yet, with the id of that operation.
 * Event: `change` with the instance's id. A second click finds the first one here and sends nothing.
 */
export class Pending extends Emitter {
  #ops = new Map<string, string>();

  opOf(instanceId: string): string | null {
    return this.#ops.get(instanceId) ?? null;
  }

  begin(instanceId: string, opId: string): void {
    this.#ops.set(instanceId, opId);
    this.trigger('change', instanceId);
  }

  /** Ends the operation wherever it is held. */
  end(opId: string): void {
    for (const [instanceId, held] of this.#ops) {
      if (held !== opId) continue;
      this.#ops.delete(instanceId);
      this.trigger('change', instanceId);
    }
  }
}
