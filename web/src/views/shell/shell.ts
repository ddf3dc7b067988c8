import type { Notices } from '../../models/notices.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import type { Page, PageOptions } from '../base/page.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { ConnectionBar } from './connection-bar.ts';
import { JobsDrawer } from './jobs-drawer.ts';
import { Rail, type RailOptions } from './rail.ts';
import { Toasts } from './toasts.ts';

/** Where the reader is: a page, what it is about, and the rest of the address. */
export interface Place {
  page: string;
  id: string;
  query: string;
}

export interface ShellOptions extends ViewOptions, Omit<RailOptions, 'parent' | 'openJobs'> {
  deps: PageDeps;
  notices: Notices;
  /** Makes the page of a place. */
  createPage: (place: Place, options: PageOptions<PageDeps>) => Page;
}

/** The frame around the pages: rail, connection bar, drawer, messages. One page at a time. */
export class Shell extends View<ShellOptions> {
  declare rail: Rail;
  declare main: HTMLElement;
  declare page: Page | null;
  declare place: Place | null;
  declare drawer: JobsDrawer | null;

  override preinitialize(options: ShellOptions): void {
    super.preinitialize(options);
    this.className = 'shell';
    this.page = null;
    this.place = null;
    this.drawer = null;
  }

  override initialize(): void {
    const { options } = this;
    this.rail = new Rail({ ...options, parent: this, openJobs: () => this.toggleJobs() });
    const connection = new ConnectionBar({ parent: this, connection: options.deps.connection });
    const toasts = new Toasts({ parent: this, notices: options.notices });
    this.main = document.createElement('main');
    this.main.className = 'main';
    this.main.id = 'main';
    this.el.append(connection.draw().el, this.rail.draw().el, this.main, toasts.draw().el);
  }

  /** Shows a place; the page stays when only its query changed and it can follow that. */
  show(place: Place): void {
    const same = this.place !== null && this.place.page === place.page && this.place.id === place.id;
    if (!(same && this.page?.updateQuery(place.query))) {
      this.page?.destroy();
      this.page = this.options.createPage(place, {
        parent: this,
        deps: this.options.deps,
        query: place.query,
        id: place.id,
      });
      this.main.replaceChildren(this.page.draw().el);
    }
    this.place = place;
    this.rail.show(place.page);
    document.title = `${this.page!.title()} · WebVirt`;
  }

  toggleJobs(): void {
    if (this.drawer === null) this.openJobs();
    else this.closeJobs();
  }

  openJobs(): void {
    if (this.drawer !== null) return;
    this.drawer = new JobsDrawer({ parent: this, deps: this.options.deps, onClose: () => this.closeJobs() });
    this.el.append(this.drawer.draw().el);
    this.drawer.el.querySelector<HTMLElement>('button')?.focus();
  }

  closeJobs(): void {
    this.drawer?.destroy();
    this.drawer = null;
  }
}
