import { html, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../dom/icons.ts';
import type { JobModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import { jobSummary } from '../widgets/job-summary.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';

export interface JobsDrawerOptions extends ViewOptions {
  deps: PageDeps;
  onClose: () => void;
}

const MOST_SHOWN = 60;

/** What was asked of the fleet, newest first: progress, outcome, what to try, and the lines of a job in place. */
export class JobsDrawer extends View<JobsDrawerOptions> {
  declare openId: string | null;
  declare panel: LinesPanel | null;

  override preinitialize(options: JobsDrawerOptions): void {
    super.preinitialize(options);
    this.tagName = 'aside';
    this.className = 'drawer';
    this.openId = null;
    this.panel = null;
  }

  override initialize(): void {
    this.el.setAttribute('aria-label', 'Jobs');
    this.listenTo(this.options.deps.models.jobs, 'update change loaded', this.redraw);
    this.every(1_000, () => this.redraw());
    this.el.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.options.onClose();
    });
  }

  toggle(id: string): void {
    this.panel?.destroy();
    this.panel = null;
    this.openId = this.openId === id ? null : id;
    if (this.openId !== null) {
      const { deps } = this.options;
      this.panel = new LinesPanel({
        parent: this,
        deps,
        source: deps.lines({ job: id }),
        label: 'Lines of this job',
        hide: ['instance'],
        addFilter: (field, value) => deps.go(`/live?${new URLSearchParams({ q: `${field}:"${value}"` })}`),
        emptyText: () => html`<p>No line of this job yet.</p>`,
      });
      this.panel.draw();
    }
    this.redraw();
  }

  override template(): TemplateResult {
    const { jobs } = this.options.deps.models;
    const active = jobs.active().length;
    return html`
      <header class="drawer-head"><h2>Jobs</h2><span class="dim">${active === 0 ? 'nothing running' : `${active} running`}</span>
        <button type="button" class="btn btn-icon" aria-label="Close jobs" @click=${this.options.onClose}>${icon('close')}</button></header>
      ${
        jobs.length === 0
          ? html`<div class="empty"><h3>No job yet</h3><p>Start, stop or migrate an instance; what happens will be told here and in a message.</p>
              <a class="btn btn-quiet" href="#/instances">To the instances</a></div>`
          : html`<ol class="jobs">${repeat(
              jobs.models.slice(0, MOST_SHOWN),
              (job) => job.id,
              (job) => this.job(job),
            )}</ol>`
      }`;
  }

  job(job: JobModel): TemplateResult {
    const open = this.openId === job.id;
    return html`<li class="job">
      ${jobSummary(job, this.options.deps)}
      <div class="job-links">
        <button type="button" class="btn btn-sm btn-quiet" aria-expanded=${open ? 'true' : 'false'} @click=${() => this.toggle(String(job.id))}>
          ${icon(open ? 'down' : 'chevron')} Lines</button>
        <a class="btn btn-sm btn-quiet" href="#/jobs/${encodeURIComponent(String(job.id))}">Page</a>
        ${job.ended() ? null : html`<button type="button" class="btn btn-sm btn-quiet" @click=${() => this.options.deps.cancelJob(String(job.id))}>Cancel</button>`}
      </div>
      ${open ? html`<div class="job-lines">${this.panel!.el}</div>` : null}
    </li>`;
  }
}
