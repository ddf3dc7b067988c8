import { RESOURCE_NAME } from '../../../common/model/words.ts';
import type { RegisterRequest } from './operations.ts';

/** The form that registers a base image, as it is typed. Paths are relative to the pool. */
export interface ImageForm {
  host: string;
  pool: string;
  file: string;
  name: string;
  format: RegisterRequest['format'];
  kernel: string;
  initrd: string;
  cmdline: string;
}

export type ImageFaults = Partial<Record<keyof ImageForm, string>>;

/** A name made from that of the file: `Debian_12.qcow2` → `debian_12`. */
export function nameOfFile(file: string): string {
  const last = file.split('/').at(-1) ?? '';
  return last
    .replace(/\.(qcow2|raw|img|qcow)$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
}

/** The format that the ending of a file speaks for, or null. */
export function formatOfFile(file: string): RegisterRequest['format'] | null {
  if (/\.qcow2?$/i.test(file)) return 'qcow2';
  return /\.(raw|img)$/i.test(file) ? 'raw' : null;
}

function pathFault(path: string): string | undefined {
  if (path.startsWith('/')) return 'A path inside the pool, without a slash at its beginning';
  if (path.split('/').includes('..')) return 'A path inside the pool, without ..';
  return undefined;
}

/**
 * Names of base images that the host has, but for that of the same file: one that has changed since is registered again
 * under its name. `poolPath` undefined: not known yet.
 */
export function takenNames(
  images: readonly { host?: string; name?: string; path?: string }[],
  form: Pick<ImageForm, 'host' | 'file'>,
  poolPath: string | undefined,
): Set<string> {
  const path = poolPath === undefined ? null : `${poolPath.replace(/\/$/, '')}/${form.file.trim()}`;
  const others = images.filter((image) => image.host === form.host && image.path !== path);
  return new Set(others.flatMap(({ name }) => name ?? []));
}

/** What keeps the form from being sent. `taken`: names of base images that the host has. */
export function imageFaults(form: ImageForm, taken: ReadonlySet<string>): ImageFaults {
  const faults: ImageFaults = {};
  const set = (key: keyof ImageForm, text: string | undefined) => {
    if (text !== undefined) faults[key] = text;
  };
  if (form.host === '') faults.host = 'Choose a host';
  if (form.pool === '') faults.pool = 'Choose a pool';
  set('file', form.file.trim() === '' ? 'Which file is it?' : pathFault(form.file.trim()));
  set('kernel', pathFault(form.kernel.trim()));
  set('initrd', pathFault(form.initrd.trim()));
  if (form.kernel.trim() === '' && (form.initrd.trim() !== '' || form.cmdline.trim() !== ''))
    faults.kernel = 'An initrd or a command line needs a kernel';
  if (!RESOURCE_NAME.test(form.name)) faults.name = 'Small letters, digits, dots, underscores and dashes';
  else if (taken.has(form.name)) faults.name = 'The host has a base image of this name';
  return faults;
}

/** The call that the form makes; only for a form without faults. */
export function registerRequest(form: ImageForm): RegisterRequest {
  const some = (key: 'kernel' | 'initrd' | 'cmdline') => (form[key].trim() === '' ? {} : { [key]: form[key].trim() });
  return {
    ...{ host: form.host, name: form.name, pool: form.pool, file: form.file.trim(), format: form.format },
    ...some('kernel'),
    ...some('initrd'),
    ...some('cmdline'),
  };
}
