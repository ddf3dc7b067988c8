import { access } from 'node:fs/promises';
import { cpus } from 'node:os';
import { WebvirtError } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import {
  factsQuestionSchema,
  type Needs,
  type PeerFacts,
  type SourceFacts,
  type TargetFacts,
} from '../../common/wire/migration.ts';
import { createGuestProcesses } from '../libvirt/guest-processes.ts';
import { parseHostUuid } from '../libvirt/host-facts.ts';
import { parseCpuModels, parseHostCpu, parseNeeds, parsePoolFolder } from '../libvirt/migration-needs.ts';
import type { MigrationVirsh } from '../libvirt/migration-virsh.ts';
import { isNoDomain } from '../libvirt/virsh-text.ts';
import { isUuid } from '../libvirt/virsh-words.ts';
import { availableMemoryBytes } from '../resources/memory.ts';
import { readNetworks } from '../resources/networks.ts';
import { type LookHypervisor, lookAt } from './look.ts';
import { fileFacts } from './migration-files.ts';

export interface FactsConfig {
  uri: string;
  /** Template of the URI on which other hosts reach our libvirt. */
  peerUri: string;
  runDir: string;
  procDir?: string;
}

export interface FactsDeps {
  hypervisor: LookHypervisor & { instances(): AgentInstance[]; idOf(name: string): string | undefined };
  virsh: MigrationVirsh;
  now(): number;
}

/** What libvirt can do changes with its packages only; asking costs a process each time. */
const KEEP_MS = 60_000;
const READ_MS = 10_000;
const PEER_MS = 4_000;
/** The dialog asks every few seconds and the click comes right behind: what was reached a moment ago is not called again. */
const PEER_KEEP_MS = 10_000;

/** Answers `migration-facts`: what an instance needs, what this host has of it, whether another libvirt is reached. */
export function createMigrationFacts(config: FactsConfig, deps: FactsDeps): (args: Record<string, unknown>) => unknown {
  const { hypervisor, virsh } = deps;
  const procDir = config.procDir ?? '/proc';
  const guests = createGuestProcesses({ runDir: config.runDir, procDir });
  const kept = new Map<string, { tsMs: number; text: string }>();
  const reached = new Map<string, { tsMs: number; facts: PeerFacts }>();

  /** What virsh prints, kept for a minute unless told; `error: …` is kept for nobody. */
  async function read(words: readonly string[], keepMs = KEEP_MS): Promise<{ text: string; fault: string | null }> {
    const key = words.join(' ');
    const old = kept.get(key);
    if (old !== undefined && Math.abs(deps.now() - old.tsMs) < keepMs) return { text: old.text, fault: null };
    const ran = await virsh.host(words, READ_MS);
    if (ran.ended !== 'exit') return { text: '', fault: `virsh gave no answer (${ran.ended})` };
    if (ran.code !== 0) return { text: '', fault: ran.stderr.replace(/^error: /gm, '').trim() };
    if (kept.size > 64) kept.clear();
    kept.set(key, { tsMs: deps.now(), text: ran.stdout });
    return { text: ran.stdout, fault: null };
  }

  const look = (instance: string) => lookAt(instance, { uri: config.uri, hypervisor, virsh });

  async function source(instance: string): Promise<SourceFacts> {
    const now = await look(instance);
    const xml = await virsh.peek(['dumpxml'], instance);
    if (now.state === null || isNoDomain(xml.stderr))
      throw new WebvirtError('not-found', 'The instance is not on this host any more.');
    if (xml.stdout === '') throw new WebvirtError('libvirt-failed', xml.stderr.slice(0, 512));
    const needs = parseNeeds(xml.stdout);
    const [files, { text }] = await Promise.all([
      fileFacts(needs.files.map(({ path }) => path)),
      read(['capabilities']),
    ]);
    return { look: now, needs, files, cpu: parseHostCpu(text), hostUuid: parseHostUuid(text) ?? null };
  }

  /** Only libvirt's own pools count, and only those that are started. Asked anew: a person may just have made one. */
  async function poolFolders(): Promise<string[]> {
    const ids = (await read(['pool-list', '--uuid'], 0)).text.split('\n').map((line) => line.trim());
    const folders: string[] = [];
    for (const id of ids.filter(isUuid).slice(0, 256)) {
      const folder = parsePoolFolder((await read(['pool-dumpxml', id], 0)).text);
      if (folder !== null && folder.length <= 1_024) folders.push(folder);
    }
    return folders;
  }

  async function target(instance: string, needs: Needs): Promise<TargetFacts> {
    const type = needs.domainType === 'kvm' ? 'kvm' : 'qemu';
    const words = ['domcapabilities', `--virttype=${type}`];
    // A word that is not of the strict form is left out: the check is then wider, never a way into virsh.
    if (/^[a-z0-9_]{1,32}$/.test(needs.arch)) words.push(`--arch=${needs.arch}`);
    if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(needs.machine)) words.push(`--machine=${needs.machine}`);
    const [now, files, capabilities, domain, networks, used] = await Promise.all([
      look(instance),
      fileFacts(needs.files.map(({ path }) => path)),
      read(['capabilities']),
      read(words),
      readNetworks(async (asked) => (await read(asked)).text),
      guests.read(),
    ]);
    const heldBytes = new Map([...used].map(([id, { memoryUsedBytes }]) => [id, memoryUsedBytes]));
    const isMissing = ({ path, kind }: Needs['files'][number]) =>
      kind === 'disk' && files.find((file) => file.path === path)?.there !== true;
    const namesake = hypervisor.idOf(needs.name);
    return {
      peerUri: config.peerUri,
      look: now,
      nameTakenBy: namesake === undefined || namesake === instance ? null : namesake,
      memoryAvailableBytes: await availableMemoryBytes(procDir, hypervisor.instances(), heldBytes),
      cpus: cpus().length,
      runs: { ok: domain.fault === null, text: (domain.fault ?? '').slice(0, 512) },
      cpuModels: domain.fault === null ? parseCpuModels(domain.text) : null,
      cpu: parseHostCpu(capabilities.text),
      emulatorThere: needs.emulator === null || (await isThere(needs.emulator)),
      networks: needs.networks.map(({ kind, name }) => {
        const found = networks.find((network) => network.kind === kind && network.name === name);
        return { kind, name, there: found !== undefined, active: found?.active === true };
      }),
      files,
      ...(needs.files.some(isMissing) ? { poolFolders: await poolFolders() } : {}),
      hostUuid: parseHostUuid(capabilities.text) ?? null,
    };
  }

  async function peer(uri: string): Promise<PeerFacts> {
    const old = reached.get(uri);
    if (old !== undefined && Math.abs(deps.now() - old.tsMs) < PEER_KEEP_MS) return old.facts;
    reached.delete(uri);
    const facts = await call(uri);
    if (reached.size > 64) reached.clear();
    if (facts.reached) reached.set(uri, { tsMs: deps.now(), facts });
    return facts;
  }

  async function call(uri: string): Promise<PeerFacts> {
    const ran = await virsh.peer(uri, PEER_MS);
    if (ran.ended !== 'exit') return { reached: false, hostUuid: null, text: `no answer within ${PEER_MS / 1000} s` };
    if (ran.code === 0) return { reached: true, hostUuid: parseHostUuid(ran.stdout) ?? null, text: '' };
    return {
      reached: false,
      hostUuid: null,
      text: ran.stderr
        .replace(/^error: /gm, '')
        .trim()
        .slice(0, 512),
    };
  }

  return (args) => {
    const asked = factsQuestionSchema.safeParse(args);
    if (!asked.success) throw new WebvirtError('bad-request', 'The question is not of the expected form.');
    const { data } = asked;
    if (data.side === 'source') return source(data.instance);
    if (data.side === 'target') return target(data.instance, data.needs);
    return peer(data.uri);
  };
}

function isThere(path: string): Promise<boolean> {
  return path.startsWith('/')
    ? access(path).then(
        () => true,
        () => false,
      )
    : Promise.resolve(false);
}
