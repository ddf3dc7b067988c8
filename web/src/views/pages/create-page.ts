import type { PageDeps } from '../../models/page-deps.ts';
import type { Page, PageOptions } from '../base/page.ts';
import { latePage, loadPage } from './late-pages.ts';
import { LivePage } from './live-page.ts';
import { NotFoundPage, UnloadedPage } from './other-pages.ts';
import type { PageKinds } from './page-kinds.ts';
import type { Place } from './place.ts';

// To add a page: its file beside this one, its name in place.ts (PageName, LISTS or THINGS), its part in late-pages.ts.
const HERE: PageKinds = { live: LivePage, 'not-found': NotFoundPage };

/** Makes the page of a place; null while the part of the program that holds it is not here: see `loadPage`. */
export function createPage({ page }: Place, options: PageOptions<PageDeps>): Page | null {
  const Kind = HERE[page] ?? latePage(page);
  return Kind ? new Kind(options) : null;
}

/** The pages, as the shell needs them. */
export const pages = {
  create: createPage,
  load: ({ page }: Place) => loadPage(page),
  /** Stands where a page could not be loaded. */
  unloaded: (options: PageOptions<PageDeps>): Page => new UnloadedPage(options),
};
