import type { Host } from '../../../common/model/host.ts';
import type { Instance } from '../../../common/model/instance.ts';

export function presentDaemon({ id, name, address, port, state }: Host) {
  return { id, name, ip: address, port, state };
}

export function presentVm({ id, name, state, hostName }: Instance, ip: string) {
  return { id, name, state, ip, host: hostName };
}
