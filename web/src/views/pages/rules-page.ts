import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import type { View } from '../base/view.ts';

type RulesView = View & { show(tab: string): void };

/** Rules, what they did, and where they tell it. The page is loaded when it is first wanted. */
export class RulesPage extends Page<PageDeps> {
  declare view: RulesView | null;

  override initialize(): void {
    this.el.classList.add('page-rules');
    this.view = null;
    void import('../widgets/rules/rules-view.ts').then(
      ({ RulesView }) => {
        if (this.destroyed) return;
        const view = new RulesView({ parent: this, deps: this.deps, tab: this.tab() });
        this.el.append(view.draw().el);
        this.view = view;
      },
      () => {
        this.el.textContent = 'This page could not be loaded. Reload it and try again.';
      },
    );
  }

  tab(): string {
    return new URLSearchParams(this.query).get('tab') ?? 'rules';
  }

  override updateQuery(query: string): boolean {
    this.query = query;
    this.view?.show(this.tab());
    return true;
  }

  override title(): string {
    return 'Rules';
  }

  override onKey(key: string): boolean {
    if (key === 'n') this.deps.go('/rules/new');
    return key === 'n';
  }
}
