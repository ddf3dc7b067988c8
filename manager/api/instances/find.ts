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

/** Names as they are compared; made once, for a list of thousands is sorted many times a second while it is watched. */
const keys = new Map<string, string>();
const LIMIT_KEYS = 50_000;

/** `web2` comes before `web10`: digits are compared as numbers. */
function sortKey(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    if (keys.size >= LIMIT_KEYS) keys.clear();
    key = name.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'));
    keys.set(name, key);
  }
  return key;
}

/** The id decides between equal names, so the order never changes by itself. */
function byName(a: Instance, b: Instance): number {
  const [x, y] = [sortKey(a.name), sortKey(b.name)];
  if (x !== y) return x < y ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
