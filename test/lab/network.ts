import { memberEnv } from './enter.ts';
import {
  hostAddress,
  hostName,
  hostNetns,
  LAB_BRIDGE,
  LAB_GATEWAY,
  LAB_PREFIX_LENGTH,
  type LabNames,
} from './names.ts';
import { mustRun } from './run.ts';

/** The name of the one network card of a host, inside that host. */
const HOST_LINK = 'eth0';

/** `ip -batch` reads its commands from here: one process for many links. Marked, so that a sweep ends it as well. */
async function ipBatch(names: LabNames, netns: string, commands: readonly string[]): Promise<void> {
  await mustRun(['ip', '-n', netns, '-batch', '-'], { input: `${commands.join('\n')}\n`, env: memberEnv(names) });
}

/**
 * One namespace for the lab with a bridge in it, one for each host with a cable to that bridge.
 * Nobody gets a default route, and no link touches the machine's own namespace: there is no way out.
 */
export async function createNetwork(names: LabNames, hostCount: number): Promise<void> {
  // The first `ip netns add` prepares /run/netns; only then can the others run side by side.
  const add = (netns: string) => mustRun(['ip', 'netns', 'add', netns], { env: memberEnv(names) });
  await add(names.netns);
  const hosts = Array.from({ length: hostCount }, (_, i) => i + 1);
  await Promise.all(hosts.map((index) => add(hostNetns(names, hostName(index)))));
  await ipBatch(names, names.netns, [
    'link set lo up',
    `link add ${LAB_BRIDGE} type bridge stp_state 0 forward_delay 0`,
    // Without IPv6 addresses there is no chatter of neighbour discovery on the bridge.
    `link set ${LAB_BRIDGE} addrgenmode none`,
    `address add ${LAB_GATEWAY}/${LAB_PREFIX_LENGTH} dev ${LAB_BRIDGE}`,
    `link set ${LAB_BRIDGE} up`,
    ...hosts.flatMap((index) => {
      const link = hostName(index);
      return [
        `link add ${link} type veth peer name ${HOST_LINK} netns ${hostNetns(names, link)}`,
        `link set ${link} addrgenmode none`,
        `link set ${link} master ${LAB_BRIDGE} up`,
      ];
    }),
  ]);
  await Promise.all(
    hosts.map((index) =>
      ipBatch(names, hostNetns(names, hostName(index)), [
        'link set lo up',
        `link set ${HOST_LINK} addrgenmode none`,
        `address add ${hostAddress(index)}/${LAB_PREFIX_LENGTH} dev ${HOST_LINK}`,
        `link set ${HOST_LINK} up`,
      ]),
    ),
  );
}

/** Plugs or pulls the cable of a host: the other side sees silence, no refusal and no reset. */
export async function setCable(names: LabNames, host: string, state: 'up' | 'down'): Promise<void> {
  await mustRun(['ip', '-n', names.netns, 'link', 'set', host, state], { env: memberEnv(names) });
}
