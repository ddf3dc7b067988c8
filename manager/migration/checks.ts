import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { MigrationCheck } from '../../common/model/migration.ts';
import type { PeerFacts, SourceFacts, TargetFacts } from '../../common/wire/migration.ts';
import { cpuCheck } from './check-cpu.ts';
import { bootFileChecks, diskChecks } from './check-files.ts';

/** What the checks know. A part that could not be asked is an Error that says why. */
export interface CheckInput {
  instance: Pick<Instance, 'id' | 'name' | 'state' | 'busyJob' | 'persistent'>;
  source: Pick<Host, 'id' | 'name' | 'state' | 'libvirtAnswers' | 'clockOffsetMs'>;
  target: Pick<Host, 'id' | 'name' | 'state' | 'libvirtAnswers' | 'clockOffsetMs'>;
  live: boolean;
  tunnelled: boolean;
  copyStorage: boolean;
  sourceFacts: SourceFacts | Error;
  targetFacts: TargetFacts | Error;
  peer: PeerFacts | Error;
  /** The URI on which the source reaches the target's libvirt; null where its template gives none. */
  uri: string | null;
}

const ok = (check: string, text: string): MigrationCheck => ({ check, verdict: 'ok', text });
const warn = (check: string, text: string): MigrationCheck => ({ check, verdict: 'warn', text });
const fail = (check: string, text: string): MigrationCheck => ({ check, verdict: 'fail', text });

const MIB = 1024 * 1024;
const SKEW_MS = 2_000;

/** Everything that must be true before an instance moves, each with what was found and what to try. */
export function checksOf(input: CheckInput): MigrationCheck[] {
  const { source, target, sourceFacts, targetFacts } = input;
  if (source.id === target.id) return [fail('target', `It is on ${target.name} already; choose another host.`)];
  const checks = [...hostChecks(input), stateCheck(input)];
  if (sourceFacts instanceof Error)
    return [
      ...checks,
      fail('source', `${source.name} could not be asked what the instance needs: ${sourceFacts.message}`),
    ];
  if (targetFacts instanceof Error)
    return [...checks, fail('target', `${target.name} could not be asked what it has: ${targetFacts.message}`)];
  return [
    ...checks,
    ...identityChecks(input, targetFacts),
    hypervisorCheck(input, sourceFacts, targetFacts),
    cpuCheck({ live: input.live, sourceName: source.name, targetName: target.name }, sourceFacts, targetFacts),
    memoryCheck(input, sourceFacts, targetFacts),
    ...networkChecks(input, targetFacts),
    ...diskChecks({ ...input, targetName: target.name, sourceName: source.name }, sourceFacts, targetFacts),
    ...bootFileChecks(target.name, sourceFacts, targetFacts),
    devicesCheck(input, sourceFacts),
    peerCheck(input, targetFacts),
    clockCheck(input),
  ];
}

function hostChecks({ source, target }: CheckInput): MigrationCheck[] {
  const of = (check: string, host: CheckInput['source']): MigrationCheck => {
    if (host.state !== 'online') return fail(check, `${host.name} is ${host.state}: it does not answer now.`);
    if (!host.libvirtAnswers)
      return fail(check, `The libvirt daemon of ${host.name} does not answer: look at libvirtd or virtqemud.`);
    return ok(check, `${host.name} is online and its libvirt answers.`);
  };
  return [of('source-online', source), of('target-online', target)];
}

function stateCheck({ instance, live, sourceFacts }: CheckInput): MigrationCheck {
  const look = sourceFacts instanceof Error ? null : sourceFacts.look;
  const state = look?.state ?? instance.state;
  if (instance.busyJob !== null) return fail('state', `Job ${instance.busyJob} has it now; wait for it or cancel it.`);
  if (look?.busy) return fail('state', 'libvirt works on it now (a save, a backup, another move); wait for its end.');
  if (!(look?.persistent ?? instance.persistent))
    return fail('state', 'It is transient: it has no definition that could move with it.');
  if (live && state === 'running') return ok('state', 'It runs, and will go on running while it moves.');
  if (live && state === 'paused') return ok('state', 'It is paused, and will be paused on the target.');
  if (live) return fail('state', `It is ${state}; only an instance that runs moves live. Move it cold.`);
  if (state === 'shutoff' || state === 'crashed') return ok('state', 'It is off: only its definition moves.');
  if (state === 'saved')
    return fail('state', 'It is saved, and a saved memory does not move: start it, then move it live or shut it down.');
  return fail('state', `It is ${state}; a cold move needs it off. Move it live, or shut it down.`);
}

function identityChecks({ instance, target }: CheckInput, facts: TargetFacts): MigrationCheck[] {
  const uuid =
    facts.look.state === null
      ? ok('uuid', `No instance on ${target.name} has its UUID.`)
      : fail(
          'uuid',
          `${target.name} has an instance with the same UUID already (${facts.look.state}); remove that definition first.`,
        );
  const name =
    facts.nameTakenBy === null
      ? ok('name', `The name ${instance.name} is free on ${target.name}.`)
      : fail(
          'name',
          `Another instance of ${target.name} is called ${instance.name} (${facts.nameTakenBy}); rename one of them.`,
        );
  return [uuid, name];
}

function hypervisorCheck({ target }: CheckInput, { needs }: SourceFacts, facts: TargetFacts): MigrationCheck {
  const what = `${needs.domainType} guests of ${needs.arch} with machine ${needs.machine}`;
  if (!facts.runs.ok) return fail('hypervisor', `${target.name} does not run ${what}: ${facts.runs.text}`);
  if (!facts.emulatorThere)
    return fail(
      'hypervisor',
      `${target.name} has no ${needs.emulator}, the program that runs it; install it at the same place.`,
    );
  return ok('hypervisor', `${target.name} runs ${what}.`);
}

function memoryCheck({ target, live }: CheckInput, { needs }: SourceFacts, facts: TargetFacts): MigrationCheck {
  const want = Math.ceil(needs.memoryBytes / MIB);
  const free = Math.floor(facts.memoryAvailableBytes / MIB);
  if (want > free) {
    const text = `It needs ${want} MiB of memory and ${target.name} has ${free} MiB free.`;
    return live
      ? fail('memory', `${text} Make room there, or choose another host.`)
      : warn('memory', `${text} It could not be started there now.`);
  }
  if (needs.vcpus > facts.cpus)
    return warn(
      'memory',
      `${free} MiB are free for its ${want} MiB, but it has ${needs.vcpus} CPUs and ${target.name} only ${facts.cpus}: it may be slow.`,
    );
  return ok('memory', `${target.name} has ${free} MiB free; it needs ${want} MiB.`);
}

function networkChecks({ target }: CheckInput, facts: TargetFacts): MigrationCheck[] {
  if (facts.networks.length === 0) return [ok('network', 'It has no network card.')];
  return facts.networks.map(({ kind, name, there, active }) => {
    if (kind === 'other')
      return warn('network', `Its card hangs on ${name}, which cannot be checked on ${target.name}.`);
    if (!there) return fail('network', `${target.name} has no ${kind} ${name}; make one of that name there.`);
    if (!active && kind === 'network') return fail('network', `The network ${name} of ${target.name} is not started.`);
    if (!active) return warn('network', `The bridge ${name} of ${target.name} is down.`);
    return ok('network', `${target.name} has a ${kind} ${name}.`);
  });
}

function devicesCheck({ live }: CheckInput, { needs }: SourceFacts): MigrationCheck {
  const ties = [...new Set(needs.ties)];
  if (ties.length === 0) return ok('devices', 'Nothing ties it to its host.');
  const text = `It has ${ties.join(', ')}, which cannot move.`;
  return live
    ? fail('devices', `${text} Take it out first.`)
    : warn('devices', `${text} It will look for the same on the target.`);
}

function peerCheck({ source, target, peer, uri }: CheckInput, facts: TargetFacts): MigrationCheck {
  if (uri === null)
    return fail(
      'link',
      `${target.name} names no URI that its libvirt can be called at (libvirtPeerUri in its agent’s configuration).`,
    );
  if (peer instanceof Error)
    return fail('link', `${source.name} could not be asked whether it reaches ${uri}: ${peer.message}`);
  if (!peer.reached)
    return fail(
      'link',
      `libvirt of ${source.name} does not reach ${uri}: ${peer.text}. See libvirtPeerUri in the agent’s configuration on ${target.name}, its certificates and its firewall.`,
    );
  if (peer.hostUuid !== null && facts.hostUuid !== null && peer.hostUuid !== facts.hostUuid)
    return fail(
      'link',
      `${uri} leads ${source.name} to another machine than ${target.name}. See libvirtPeerUri there.`,
    );
  return ok('link', `libvirt of ${source.name} reaches ${uri}.`);
}

function clockCheck({ source, target }: CheckInput): MigrationCheck {
  const apartMs = Math.abs(source.clockOffsetMs - target.clockOffsetMs);
  if (apartMs <= SKEW_MS) return ok('clock', 'The clocks of both hosts agree.');
  return warn(
    'clock',
    `The clocks of ${source.name} and ${target.name} are ${Math.round(apartMs / 1000)} s apart; the guest’s may jump.`,
  );
}
