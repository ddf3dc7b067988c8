import type { Side } from './sides.ts';
import type { Ending } from './verdict.ts';

export interface Case {
  instance: string;
  sourceName: string;
  targetName: string;
  source: Side;
  target: Side;
}

/** The text of an ending with the names of the hosts, and for the person who must help the exact commands. */
export function endingText(end: Ending, seen: Case): string {
  const text = end.text.replaceAll('{source}', () => seen.sourceName).replaceAll('{target}', () => seen.targetName);
  return end.state === 'unknown' ? `${text} ${advice(end, seen)}` : text;
}

function advice(end: Ending, { instance, sourceName, targetName, source, target }: Case): string {
  if (end.unreachable) {
    const silent = target === 'unreachable' ? targetName : sourceName;
    const answering = target === 'unreachable' ? sourceName : targetName;
    if (source === 'unreachable' && target === 'unreachable')
      return 'It is decided as soon as both hosts answer again.';
    return `It is decided as soon as ${silent} answers again. If that cannot be waited for: when ${silent} is surely without power, run on ${answering}: virsh resume ${instance} — when it runs on ${silent}, run on ${answering}: virsh destroy ${instance}. Never both.`;
  }
  if (source === 'absent' && target === 'absent')
    return `Its definition is kept in the data directory of the agent on ${sourceName}, as moved/${instance}.xml: virsh define it on one host, then virsh start ${instance} there.`;
  return `Look at its disk and choose one: virsh destroy ${instance} on the wrong host, then virsh resume ${instance} (or start) on the other.`;
}
