import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { WebvirtError } from '../common/errors.ts';
import { checkConfig } from '../common/pure/config/check.ts';
import { layeredConfig } from '../common/pure/config/layers.ts';
import { namedPaths } from '../common/pure/config/named-paths.ts';
import { duration, size } from '../common/pure/config/quantity.ts';
import { isPeerTemplate } from '../common/pure/migration/peer-uri.ts';
import { type Failpoint, noFailpoint, parseFailpoint } from '../logging/failpoint.ts';
import { sourcesSchema } from './config/sources.ts';

export const ENV_PREFIX = 'WEBVIRT_AGENT_';

export const agentConfigSchema = z.object({
  listen: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address on which the agent listens. Set it to the address of this host in the network of the manager, or to ' +
        '0.0.0.0 for all; the default reaches only a manager on the same machine.',
    ),
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4601)
    .describe('TLS port of the agent; the crawler looks for it. 0: any free one.'),
  dataDir: z
    .string()
    .min(1)
    .default('./data/agent')
    .describe(
      'Directory of the agent’s key, its journal and the lines that wait. Keep it: without it this is a new host.',
    ),
  logLevel: z
    .enum(['error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('Least severe level of the agent’s own lines.'),
  enrolFile: z
    .string()
    .default('')
    .describe(
      'File with {"url", "token"} by which the agent enrols itself as soon as it is there; it is only read. Empty: an ' +
        'admin enrols the agent with `webvirt agent enrol`.',
    ),
  libvirtUri: z
    .string()
    .min(1)
    .default('qemu:///system')
    .describe('Connection to libvirt. Where no daemon answers, libvirt’s test driver is shown, and said so.'),
  libvirtPeerUri: z
    .string()
    .refine(isPeerTemplate, 'must be qemu+tls|tcp|ssh://[user@]{address}[:port]/system, without anything behind it')
    .default('qemu+tls://{address}/system')
    .describe(
      'How the libvirt of another host reaches the one of this host when an instance moves here; {address} stands for ' +
        'the address at which the manager knows this host. qemu+tcp has neither encryption nor sign-in.',
    ),
  virsh: z.string().min(1).default('virsh').describe('Program that speaks with libvirt.'),
  libvirtRunDir: z
    .string()
    .min(1)
    .default('/run/libvirt')
    .describe('Where libvirt keeps its pid files; another place only where it runs in a namespace of its own.'),
  qemuLogDir: z
    .string()
    .min(1)
    .default('/var/log/libvirt/qemu')
    .describe('Directory of the logs that libvirt keeps per instance; they are followed.'),
  consoleLogDir: z
    .string()
    .regex(/^\/[^\0]*$/, 'must be an absolute path')
    .default('/var/log/libvirt/consoles')
    .describe('Directory of the logs of serial consoles of instances that are launched here, as libvirt sees it.'),
  pools: namedPaths()
    .prefault({ default: '/var/lib/libvirt/images' })
    .describe(
      'Folders, by name, in which disks of instances and base images may lie; nothing outside of them is ever touched. As a ' +
        'variable: default=/var/lib/libvirt/images,shared=/srv/images.',
    ),
  domainType: z
    .enum(['qemu', 'kvm'])
    .default('qemu')
    .describe(
      'How guests that are launched here run. Say kvm only where a guest is known to start with it: that /dev/kvm is there ' +
        'proves nothing. qemu emulates, and is slow.',
    ),
  qemuImg: z.string().min(1).default('qemu-img').describe('Program that makes and reads disk images.'),
  migration: z
    .object({
      giveUp: duration({ min: '1s', max: '1d' })
        .prefault('1m')
        .describe(
          'A guest that changes its memory faster than it can be copied is tried for so long with the longest downtime that ' +
            'is allowed; then the move ends and it runs on where it is.',
        ),
      connect: duration({ min: '1s', max: '1h' })
        .prefault('20s')
        .describe(
          'A target whose libvirt gives no answer while a live move is prepared is waited for so long, not for the two ' +
            'minutes of the kernel; then the move is ended and the instance runs on where it is.',
        ),
    })
    .prefault({})
    .describe('Instances that move from here to another host.'),
  sampleEvery: duration({ min: '500ms', max: '10m' })
    .prefault('5s')
    .describe('How often the load of the host and of its instances is measured.'),
  sources: sourcesSchema,
  spool: z
    .object({
      cap: size({ min: '1MiB' })
        .prefault('256MiB')
        .describe('Lines that wait for the manager take at most this; then the oldest go, and a gap says which.'),
    })
    .prefault({})
    .describe('Lines on their way to the manager.'),
  journal: z
    .object({
      rows: z
        .number()
        .int()
        .min(100)
        .max(1_000_000)
        .default(10_000)
        .describe('Operations the journal holds. When all of them wait for the manager, new ones are refused.'),
    })
    .prefault({})
    .describe('Operations on instances.'),
  compute: z
    .object({
      socket: z
        .string()
        .default('')
        .describe('Socket of the compute server of this host. Empty: compute.sock in dataDir.'),
    })
    .prefault({})
    .describe('Computations.'),
});
export type AgentConfig = z.output<typeof agentConfigSchema>;

/** Reads, checks and freezes the configuration. Throws `bad-config` that names the key. The only reader of the environment. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): AgentConfig {
  const file = env['WEBVIRT_AGENT_CONFIG'] || null;
  return layeredConfig(agentConfigSchema, {
    text: file === null ? null : readText(file),
    file: file ?? 'conf/agent.yaml',
    env,
    prefix: ENV_PREFIX,
  });
}

/** A configuration from values in code, with the defaults for the rest. Throws like `readConfig`. */
export function configOf(values: z.input<typeof agentConfigSchema>): AgentConfig {
  return checkConfig(agentConfigSchema, values, { file: 'configuration' });
}

/** The point at which a test wants this process to die; normally none. Throws `bad-config`. */
export function readFailpoint(env: NodeJS.ProcessEnv = process.env): Failpoint {
  const text = env['WV_FAIL'];
  return text === undefined || text === '' || !text.startsWith('A') ? noFailpoint : parseFailpoint(text);
}

/** True when the program that started us wants us to end when our standard input does. */
export function stopsWithStdin(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['WEBVIRT_STOP_WITH_STDIN'] === '1';
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WebvirtError('bad-config', `WEBVIRT_AGENT_CONFIG: ${file} could not be read`, {}, { cause: error });
  }
}
