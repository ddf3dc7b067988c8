import type { PageDeps } from '../../models/page-deps.ts';
import type { Page, PageOptions } from '../base/page.ts';
import { ComputePage } from './compute-page.ts';
import { HostPage } from './host-page.ts';
import { HostsPage } from './hosts-page.ts';
import { ImagesPage } from './images-page.ts';
import { InstancePage } from './instance-page.ts';
import { InstancesPage } from './instances-page.ts';
import { JobPage } from './job-page.ts';
import { LedgerPage } from './ledger-page.ts';
import { LinePage } from './line-page.ts';
import { LivePage } from './live-page.ts';
import { JobsPage, NotFoundPage } from './other-pages.ts';
import type { PageName } from './place.ts';
import { RulePage } from './rule-page.ts';
import { RulesPage } from './rules-page.ts';
import { SessionPage } from './session-page.ts';

// To add a page: its file beside this one, its name in place.ts (PageName, LISTS or THINGS), its row here.
const PAGES: Record<PageName, new (options: PageOptions<PageDeps>) => Page<PageDeps>> = {
  live: LivePage,
  hosts: HostsPage,
  host: HostPage,
  instances: InstancesPage,
  instance: InstancePage,
  images: ImagesPage,
  ledger: LedgerPage,
  jobs: JobsPage,
  job: JobPage,
  line: LinePage,
  compute: ComputePage,
  session: SessionPage,
  rules: RulesPage,
  rule: RulePage,
  'not-found': NotFoundPage,
};

/** Makes the page of a place; an unknown one says so. */
export function createPage({ page }: { page: string }, options: PageOptions<PageDeps>): Page {
  const Kind = Object.hasOwn(PAGES, page) ? PAGES[page as PageName] : NotFoundPage;
  return new Kind(options);
}
