/**
 * The rule for names of instances that we create. It is stricter than libvirt's, which takes `-rf`, `$(id)`, `a b` and
 * 300 letters. A name of digits only is read by virsh as a domain id, one that looks like a UUID as a UUID: both would
 * address another machine.
 */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const DIGITS = /^[0-9]+$/;
/** What libvirt's own parser takes as a UUID: 32 hex digits with dashes anywhere between them. */
const UUID_LIKE = /^(?:[0-9a-f]-*){32}$/;

/** Says in words what is wrong with the name of an instance, or null when it is allowed. */
export function instanceNameFault(name: string): string | null {
  if (name === '') return 'a name is needed';
  if (name.length > 63) return 'a name has at most 63 characters';
  if (!NAME.test(name))
    return 'a name has small letters, digits, dots, underscores and dashes only, and starts with a letter or a digit';
  if (DIGITS.test(name)) return 'a name of digits only would be taken for the id of another instance';
  if (UUID_LIKE.test(name)) return 'a name must not look like a UUID: it could be taken for another instance';
  return null;
}

/** True when an instance may be given this name. */
export function isInstanceName(name: string): boolean {
  return instanceNameFault(name) === null;
}
