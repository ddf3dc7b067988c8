import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { icon } from '../../dom/icons.ts';
import { jobTitle } from '../../models/notices.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { jobSummary } from '../widgets/job-summary.ts';

/** All recent jobs on a page of their own, for links. */
export class JobsPage extends Page<PageDeps> {
  override initialize(): void {
    this.listenTo(this.deps.models.jobs, 'update change loaded', this.redraw);
    this.every(1_000, () => this.redraw());
  }

  override title(): string {
    return 'Jobs';
  }

  override template(): TemplateResult {
    const { jobs } = this.deps.models;
    return html`<div class="page-title"><h1>Jobs</h1><span class="dim">${jobs.active().length} running</span></div>
      ${jobs.length === 0 ? html`<div class="empty"><h2>No job yet</h2><p>Start or stop an instance; what happens is told here.</p><a class="btn btn-accent" href="#/instances">To the instances</a></div>` : null}
      <ol class="jobs jobs-wide">${jobs.models.slice(0, 200).map(
        (job) => html`<li class="job">${jobSummary(job, this.deps)}<div class="job-links">
          <a class="btn btn-sm btn-quiet" href="#/jobs/${encodeURIComponent(String(job.id))}" aria-label="Lines of ${visibleText(jobTitle(job))}">${icon('live')} Lines</a></div></li>`,
      )}</ol>`;
  }
}
