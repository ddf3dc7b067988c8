import type { HostLoad } from '../../common/model/host.ts';
import type { InstanceSample } from '../../common/model/instance.ts';

export type HypervisorEvent =
  /** The facts of the host changed. */
  | { t: 'host' }
  /** An instance is new or changed: read it with `instance(id)`. */
  | { t: 'instance'; id: string }
  | { t: 'gone'; id: string }
  /** The whole list was read anew, from a connection that stands. */
  | { t: 'relisted' }
  | { t: 'samples'; tsMs: number; list: InstanceSample[]; load: HostLoad };

export type HypervisorHandler = (event: HypervisorEvent) => void;

/** Tells every handler; one that throws does not keep the others from hearing. */
export function createTeller(onFault: (error: unknown) => void) {
  const handlers = new Set<HypervisorHandler>();
  return {
    on(handler: HypervisorHandler): () => void {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    tell(event: HypervisorEvent): void {
      for (const handler of [...handlers]) {
        try {
          handler(event);
        } catch (error) {
          onFault(error);
        }
      }
    },
  };
}
