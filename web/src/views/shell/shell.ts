import type { Notices } from '../../models/notices.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import type { Page, PageOptions } from '../base/page.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { ConnectionBar } from './connection-bar.ts';
import { JobsDrawer } from './jobs-drawer.ts';
import { Rail, type RailOptions } from './rail.ts';
import { Toasts } from './toasts.ts';

/** Where the reader is: a page, what it is about, and the rest of the address. */
export interface Place<Name extends string = string> {
  page: Name;
  id: string;
  query: string;
}

/** Makes pages. Some parts of the program are loaded when they are wanted. */
export interface Pages<P> {
  /** Null while the part that holds the page is not here. */
  create(place: P, options: PageOptions<PageDeps>): Page | null;
  load(place: P): Promise<void>;
  unloaded(options: PageOptions<PageDeps>): Page;
}

export interface ShellOptions extends ViewOptions, Omit<RailOptions, 'parent' | 'openJobs'> {
  deps: PageDeps;
  notices: Notices;
  pages: Pages<Place>;
}

/** The frame around the pages: rail, connection bar, drawer, messages. One page at a time. */
export class Shell extends View<ShellOptions> {
  declare rail: Rail;
  declare main: HTMLElement;
  declare page: Page | null;
  declare place: Place | null;
  /** Where the reader wants to be: another place than `place` while its part of the program is on its way. */
  declare wanted: Place | null;
  declare drawer: JobsDrawer | null;
  /** What had the focus when the drawer was opened. */
  declare opener: Element | null;

  override preinitialize(options: ShellOptions): void {
    super.preinitialize(options);
    this.className = 'shell';
    this.page = null;
    this.place = null;
    this.wanted = null;
    this.drawer = null;
    this.opener = null;
  }

  override initialize(): void {
    const { options } = this;
    this.rail = new Rail({ ...options, parent: this, openJobs: () => this.toggleJobs() });
    const connection = new ConnectionBar({ parent: this, connection: options.deps.connection });
    const toasts = new Toasts({ parent: this, notices: options.notices });
    this.main = document.createElement('main');
    this.main.className = 'main';
    this.main.id = 'main';
    this.main.tabIndex = -1;
    const skip = document.createElement('button');
    skip.type = 'button';
    skip.className = 'btn btn-accent skip';
    skip.textContent = 'Skip to the page';
    skip.addEventListener('click', () => this.main.focus());
    this.el.append(skip, connection.draw().el, this.rail.draw().el, this.main, toasts.draw().el);
  }

  /**
   * Shows a place; the page stays when only its query changed and it can follow that, and while the part of the program that
   * holds the next one is on its way.
   */
  show(place: Place): void {
    this.wanted = place;
    this.rail.show(place.page);
    const same = this.place !== null && this.place.page === place.page && this.place.id === place.id;
    if (same && this.page?.updateQuery(place.query)) this.place = place;
    else {
      const options = { parent: this, deps: this.options.deps, query: place.query, id: place.id };
      const next = this.options.pages.create(place, options);
      if (next !== null) this.replace(place, next);
      else void this.load(place, options);
    }
    if (this.page !== null) document.title = `${this.page.title()} · WebVirt`;
  }

  replace(place: Place, next: Page): void {
    // A link that was followed goes with its page: the focus stays in the middle, not at the top of the document.
    const inside = this.main.contains(document.activeElement);
    this.page?.destroy();
    this.page = next;
    this.place = place;
    this.main.replaceChildren(next.draw().el);
    if (inside && !this.main.contains(document.activeElement)) this.main.focus({ preventScroll: true });
  }

  async load(place: Place, options: PageOptions<PageDeps>): Promise<void> {
    const { pages } = this.options;
    const loaded = await pages.load(place).then(
      () => true,
      () => false,
    );
    if (this.destroyed || this.wanted !== place) return;
    if (loaded) this.show(place);
    else {
      this.replace(place, pages.unloaded(options));
      document.title = `${this.page!.title()} · WebVirt`;
    }
  }

  toggleJobs(): void {
    if (this.drawer === null) this.openJobs();
    else this.closeJobs();
  }

  openJobs(): void {
    if (this.drawer !== null) return;
    this.opener = document.activeElement;
    this.drawer = new JobsDrawer({ parent: this, deps: this.options.deps, onClose: () => this.closeJobs() });
    this.el.append(this.drawer.draw().el);
    this.drawer.el.querySelector<HTMLElement>('button')?.focus();
  }

  closeJobs(): void {
    const inside = this.drawer?.el.contains(document.activeElement) ?? false;
    this.drawer?.destroy();
    this.drawer = null;
    if (inside && this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
    this.opener = null;
  }
}
