import type { JobReport } from '../../common/wire/link.ts';
import type { HostStore } from '../store/ports.ts';
import type { Intake } from './intake.ts';
import type { HelloMessage, Inventory, StateMessage } from './inventory-ports.ts';
import type { IncomingFrame, Sender } from './ports.ts';

/** The part of commands that hears from the agents. */
export interface JobEar {
  onReport(hostId: string, report: JobReport): void;
  onConnected(hostId: string): void;
}

/** What the links call, put together from the owners: lines to intake, state to the inventory, outcomes to commands. */
export function createLinkHandlers(deps: { intake: Intake; inventory: Inventory; jobs: JobEar; hosts: HostStore }) {
  const { intake, inventory, jobs, hosts } = deps;
  return {
    async onHello(sender: Sender, hello: HelloMessage) {
      inventory.hello(sender.hostId, hello);
      return intake.hello(sender, hello.epochs);
    },
    onFrames: (sender: Sender, frames: IncomingFrame[]) => intake.acceptFrames(sender, frames),
    onOpen: (hostId: string) => jobs.onConnected(hostId),
    onHeard: (hostId: string) => inventory.heard(hostId),
    onState: (hostId: string, message: StateMessage) => inventory.message(hostId, message),
    onJobReport: (hostId: string, report: JobReport) => jobs.onReport(hostId, report),
    onClosed(sender: Sender) {
      inventory.closed(sender.hostId);
      intake.closed(sender);
    },
    onConflict: (hostId: string, held: boolean) => inventory.conflict(hostId, held),
    onMoved(hostId: string, address: string, port: number) {
      const stored = hosts.get(hostId);
      if (stored === null) return;
      hosts.put({ ...stored, address, port });
      inventory.reload(hostId);
    },
  };
}
