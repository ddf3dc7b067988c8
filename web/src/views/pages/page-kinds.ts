import type { PageDeps } from '../../models/page-deps.ts';
import type { Page, PageOptions } from '../base/page.ts';
import type { PageName } from './place.ts';

export type PageKind = new (options: PageOptions<PageDeps>) => Page<PageDeps>;
export type PageKinds = Partial<Record<PageName, PageKind>>;
