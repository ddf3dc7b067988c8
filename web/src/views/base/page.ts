import { View, type ViewOptions } from './view.ts';

export interface PageOptions<D = unknown> extends ViewOptions {
  /** What the page may read and ask for. */
  deps: D;
  /** Part of the address behind `?`. */
  query: string;
  /** Id in the address, where the page is of one thing. */
  id: string;
}

/** A page: fills the main area, has a title, takes keys that nobody else wanted. */
export abstract class Page<D = unknown> extends View<PageOptions<D>> {
  declare deps: D;
  declare query: string;
  declare subject: string;

  override preinitialize(options: PageOptions<D>): void {
    super.preinitialize(options);
    this.deps = options.deps;
    this.query = options.query;
    this.subject = options.id;
    this.tagName = 'section';
    this.className = 'page';
  }

  /** Title of the window. */
  abstract title(): string;

  /** The query of the address changed while the page stays: true when the page takes it without being rebuilt. */
  updateQuery(_query: string): boolean {
    return false;
  }

  /** A key that was pressed outside of any field; true when it was used. */
  onKey(_key: string): boolean {
    return false;
  }

  /** `/` was pressed: the page's search field, if it has one. */
  searchField(): HTMLInputElement | null {
    return this.el.querySelector<HTMLInputElement>('input[type="search"]');
  }
}
