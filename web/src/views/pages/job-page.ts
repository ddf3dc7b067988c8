import { html, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { isMove, jobAdvice, verbWord } from '../../models/job-words.ts';
import { moveResult } from '../../models/move-figures.ts';
import { jobTitle } from '../../models/notices.ts';
import type { JobModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { BYTE_STEPS, Chart } from '../widgets/chart.ts';
import { movedFigures, runningFigures } from '../widgets/job-figures.ts';
import { jobError, jobMark, jobTimes } from '../widgets/job-summary.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';
import { meter } from '../widgets/marks.ts';
import { placementNote } from '../widgets/placement-note.ts';

/** A job that was just accepted may not be in the list yet: for so long that is no reason to say anything. */
const NOT_LISTED_AFTER_MS = 1_500;

/** One job: what it does now in numbers, its outcome, and all its lines, of every host it touched. */
export class JobPage extends Page<PageDeps> {
  declare head: HTMLElement;
  declare charts: HTMLElement;
  declare curves: Chart[];
  declare panel: LinesPanel;
  declare openedMs: number;

  override initialize(): void {
    this.el.classList.add('page-thing');
    const { deps, subject } = this;
    this.openedMs = performance.now();
    this.curves = [];
    this.head = document.createElement('div');
    this.head.className = 'thing-head';
    this.charts = document.createElement('div');
    this.charts.className = 'charts';
    this.charts.hidden = true;
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
    this.el.append(this.head, this.charts, lines);
    this.listenTo(deps.models.jobs, 'update loaded', this.redraw);
    this.listenTo(deps.models.jobs, 'change', (job) => job.id === subject && this.redraw());
    this.listenTo(deps.models.instances, 'add change:host', this.redraw);
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
    const job = this.deps.models.jobs.get(this.subject);
    render(this.headTemplate(job), this.head);
    this.drawCharts(job);
    document.title = `${this.title()} · WebVirt`;
    return this;
  }

  /** A move has its curves from the first number on; they stay after its end. */
  drawCharts(job: JobModel | undefined): void {
    const trace = this.deps.traces.of(this.subject);
    if (this.curves.length === 0) {
      // A live move tells its limit from the beginning: the place of the curves is kept before there are numbers.
      const expected = trace.tsMs.length > 0 || trace.last?.downtimeLimitMs !== undefined;
      if (job === undefined || !isMove(job.get('verb')!) || !expected) return;
      const chart = (title: string, colour: string, key: 'remainingBytes' | 'rateBps', unit: string) =>
        new Chart({
          ...{ parent: this, deps: this.deps, title, colour, steps: BYTE_STEPS, max: () => null },
          format: (value) => `${bytesText(value)}${unit}`,
          read: () => {
            const now = this.deps.traces.of(this.subject);
            return { tsMs: now.tsMs, values: now[key] };
          },
        });
      this.curves = [
        chart('Memory that remains', 'wv-curve-cpu', 'remainingBytes', ''),
        chart('Rate', 'wv-curve-memory', 'rateBps', '/s'),
      ];
      this.charts.append(...this.curves.map((curve) => curve.el));
      this.charts.hidden = false;
    }
    this.charts.classList.toggle('is-waiting', trace.tsMs.length < 2);
    this.charts.hidden = trace.tsMs.length < 2 && (job === undefined || job.ended());
    for (const curve of this.curves) curve.draw();
  }

  headTemplate(job: JobModel | undefined): TemplateResult {
    const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="#/jobs">Jobs</a></nav>`;
    if (job === undefined) {
      const waits = performance.now() - this.openedMs < NOT_LISTED_AFTER_MS;
      return html`${crumbs}<div class="page-title"><h1>Job ${visibleText(this.subject.slice(0, 12))}</h1></div>
        <p class="dim">${waits ? 'Accepted; waiting for the first word of it…' : 'It is not among the recent jobs; its lines are below.'}</p>`;
    }
    const {
      placement = null,
      verb,
      state,
      instance,
      instanceName,
      host,
      hostName,
      target,
      targetName,
    } = job.attributes;
    const here = instance ? this.deps.models.instances.get(instance) : undefined;
    return html`${crumbs}
      <div class="page-title"><h1>${visibleText(verbWord(verb!))}${instanceName ? html` <span class="job-what">${visibleText(instanceName)}</span>` : null}</h1>${jobMark(job, state)}
        <div class="title-end buttons">
          ${job.ended() ? null : html`<button type="button" class="btn btn-quiet" data-cancel @click=${() => this.deps.cancelJob(this.subject)}>${icon('stop')} Cancel</button>`}
          ${here ? html`<a class="btn ${verb === 'launch' && state === 'done' ? 'btn-accent' : 'btn-quiet'}" href="#/instances/${instance!}">${icon('instances')} ${visibleText(instanceName ?? 'Instance')}</a>` : null}
          <a class="btn btn-quiet" href="#/live?job=${encodeURIComponent(this.subject)}">${icon('live')} Open in Live</a></div></div>
      <div class="job-way">${host ? html`<a href="#/hosts/${host}">${icon('hosts')} ${visibleText(hostName ?? host)}</a>` : null}
        ${target ? html`<span aria-label="to">→</span><a href="#/hosts/${target}">${icon('hosts')} ${visibleText(targetName ?? target)}</a>` : null}
        ${jobTimes(job, this.deps)}</div>
      ${placementNote(placement)}
      ${this.numbers(job)}
      ${job.ended() ? jobError(job, state === 'cancelled' ? null : jobAdvice(verb!)) : jobError(job)}`;
  }

  numbers(job: JobModel): TemplateResult | null {
    const { verb, state, progress, result, startedMs, createdMs } = job.attributes;
    const moved = moveResult(verb!, result ?? null);
    if (moved !== null && state === 'done') return movedFigures(moved);
    const detail = job.get('detail');
    if (job.ended() || !detail) return null;
    const elapsedMs = detail.elapsedMs ?? this.deps.nowMs() - (startedMs ?? createdMs!);
    return html`<div class="job-now"><b class="job-phase">${visibleText(detail.phase)}</b>${typeof progress === 'number' ? meter(progress, 'Progress') : null}</div>
      ${isMove(verb!) ? runningFigures(detail, elapsedMs) : null}`;
  }
}
