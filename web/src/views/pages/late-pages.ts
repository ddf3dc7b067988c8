import type { PageKinds } from './page-kinds.ts';
import type { PageName } from './place.ts';

type Part = () => Promise<{ KINDS: PageKinds }>;

const machines: Part = () => import('./machine-pages.ts');
const lines: Part = () => import('./line-pages.ts');
const compute: Part = () => import('./compute-pages.ts');

/** Which part of the program holds a page; those that are missing here are there from the beginning. */
const PARTS: Partial<Record<PageName, Part>> = {
  ...{ hosts: machines, host: machines, instances: machines, instance: machines, images: machines },
  ...{ jobs: machines, job: machines },
  ...{ ledger: lines, line: lines, rules: lines, rule: lines },
  ...{ compute, session: compute },
};

const loaded: PageKinds = {};

/** The class of a page that was loaded, or null. */
export function latePage(name: PageName): PageKinds[PageName] | null {
  return loaded[name] ?? null;
}

/** Loads the part that holds a page; at once when there is none. @throws when the manager does not send it. */
export async function loadPage(name: PageName): Promise<void> {
  const part = PARTS[name];
  if (part === undefined || loaded[name] !== undefined) return;
  Object.assign(loaded, (await part()).KINDS);
}

/** Loads what is not here yet while nothing else is to be done, so that going there takes no time. */
export function loadRest(): void {
  const next = (parts: readonly Part[]): void => {
    const [part, ...rest] = parts;
    if (part === undefined) return;
    const load = () =>
      void part().then(
        ({ KINDS }) => {
          Object.assign(loaded, KINDS);
          next(rest);
        },
        // Whoever goes there asks again.
        () => undefined,
      );
    if ('requestIdleCallback' in window) requestIdleCallback(load, { timeout: 10_000 });
    else setTimeout(load, 1_000);
  };
  next([lines, machines, compute]);
}
