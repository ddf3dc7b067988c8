import { html, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { icon } from '../../dom/icons.ts';
import { jobTitle } from '../../models/notices.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { jobSummary } from '../widgets/job-summary.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';

/** One job with all its lines, of every host it touched. */
export class JobPage extends Page<PageDeps> {
  declare head: HTMLElement;
  declare panel: LinesPanel;

  override initialize(): void {
    this.el.classList.add('page-thing');
    const { deps, subject } = this;
    this.head = document.createElement('div');
    this.head.className = 'thing-head';
    this.panel = new LinesPanel({
      parent: this,
      deps,
      source: deps.lines({ job: subject }),
      label: 'Lines of this job',
      addFilter: (field, value, exclude) => {
        const q = `${exclude ? '-' : ''}${field}:"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        deps.go(`/live?${new URLSearchParams({ job: subject, q })}`);
      },
      emptyText: () =>
        html`<h2>No line of this job yet</h2><p>What the hosts do for it is written here while it runs.</p>`,
    });
    const lines = document.createElement('div');
    lines.className = 'thing-lines';
    lines.append(this.panel.draw().el);
    this.el.append(this.head, lines);
    this.listenTo(deps.models.jobs, 'update change loaded', this.redraw);
    this.every(1_000, () => this.redraw());
  }

  override title(): string {
    const job = this.deps.models.jobs.get(this.subject);
    return job === undefined ? 'Job' : jobTitle(job);
  }

  override onKey(key: string): boolean {
    return this.panel.onKey(key);
  }

  override draw(): this {
    render(this.headTemplate(), this.head);
    return this;
  }

  headTemplate(): TemplateResult {
    const job = this.deps.models.jobs.get(this.subject);
    const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="#/jobs">Jobs</a></nav>`;
    if (job === undefined)
      return html`${crumbs}<div class="page-title"><h1>Job ${visibleText(this.subject.slice(0, 12))}</h1></div><p class="dim">It is not among the recent jobs; its lines are below.</p>`;
    const instance = job.get('instance');
    return html`${crumbs}${jobSummary(job, this.deps)}
      <div class="job-links">
        ${instance ? html`<a class="btn btn-sm btn-quiet" href="#/instances/${instance}">${icon('instances')} ${visibleText(job.get('instanceName') ?? 'Instance')}</a>` : null}
        <a class="btn btn-sm btn-quiet" href="#/live?job=${encodeURIComponent(this.subject)}">${icon('live')} Open in Live</a>
        ${job.ended() ? null : html`<button type="button" class="btn btn-sm btn-quiet" @click=${() => this.deps.cancelJob(this.subject)}>Cancel</button>`}
      </div>`;
  }
}
