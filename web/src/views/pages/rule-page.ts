import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';

/** One rule: what it looks for, how often that would have been told, what it did. `/rules/new?line=…`: from a line. */
export class RulePage extends Page<PageDeps> {
  override initialize(): void {
    this.el.classList.add('page-rules');
    void import('../widgets/rules/rule-view.ts').then(
      ({ RuleView }) => {
        if (this.destroyed) return;
        const line = new URLSearchParams(this.query).get('line');
        const id = this.subject === 'new' ? null : this.subject;
        this.el.append(new RuleView({ parent: this, deps: this.deps, rule: id, line }).draw().el);
      },
      () => {
        this.el.textContent = 'This page could not be loaded. Reload it and try again.';
      },
    );
  }

  override title(): string {
    if (this.subject === 'new') return 'New rule';
    return this.deps.models.rules.get(this.subject)?.get('name') ?? 'Rule';
  }
}
