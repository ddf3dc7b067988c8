import type { PageName, Place } from '../../router.ts';
import type { Page, PageOptions } from '../base/page.ts';
import { HostPage } from './host-page.ts';
import { HostsPage } from './hosts-page.ts';
import { InstancePage } from './instance-page.ts';
import { InstancesPage } from './instances-page.ts';
import { JobPage } from './job-page.ts';
import { LinePage } from './line-page.ts';
import { LivePage } from './live-page.ts';
import { JobsPage, NotFoundPage } from './other-pages.ts';

// To add a page: its file beside this one, its name in router.ts (PageName, LISTS or THINGS), its row here.
const PAGES: Record<PageName, new (options: PageOptions) => Page> = {
  live: LivePage,
  hosts: HostsPage,
  host: HostPage,
  instances: InstancesPage,
  instance: InstancePage,
  jobs: JobsPage,
  job: JobPage,
  line: LinePage,
  'not-found': NotFoundPage,
};

/** Makes the page of a place. */
export function createPage(place: Place, options: PageOptions): Page {
  return new PAGES[place.page](options);
}
