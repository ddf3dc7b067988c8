import type { Instance } from '../../../common/model/instance.ts';

export interface InstanceFilter {
  q?: string | undefined;
  state?: string | undefined;
  host?: string | undefined;
}

/** The instances that a filter lets through, by name. */
export function findInstances(all: readonly Instance[], filter: InstanceFilter): Instance[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = (instance: Instance) =>
    (filter.state === undefined || instance.state === filter.state) &&
    (filter.host === undefined || instance.host === filter.host) &&
    (words.length === 0 || hasAll(textOf(instance), words));
  return all.filter(wanted).sort(byName);
}

function textOf({ name, title, id, hostName, state }: Instance): string {
  return `${name}\n${title ?? ''}\n${id}\n${hostName}\n${state}`.toLowerCase();
}

function hasAll(text: string, words: string[]): boolean {
  return words.every((word) => text.includes(word));
}

const names = new Intl.Collator('en', { numeric: true });

/** `web2` before `web10`; the id decides between equal names, so the order never changes by itself. */
function byName(a: Instance, b: Instance): number {
  return names.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
}
