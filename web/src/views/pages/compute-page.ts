import { html, nothing, type TemplateResult } from 'lit-html';
import { plural } from '../../dom/format.ts';
import type { SessionModel } from '../../models/compute/sessions.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { Launcher } from '../widgets/compute/launcher.ts';
import { ServersPanel } from '../widgets/compute/servers-panel.ts';
import { endedRows, livingRows, sessionTitle } from '../widgets/compute/session-rows.ts';
import { StopDialog } from '../widgets/compute/stop-dialog.ts';

/** Where computations begin: kernels, all sessions of everybody, the hosts that compute. */
export class ComputePage extends Page<PageDeps> {
  declare launcher: Launcher;
  declare servers: ServersPanel;
  declare loaded: boolean;

  override initialize(): void {
    this.el.classList.add('page-compute');
    const { deps } = this;
    const { sessions, servers } = deps.compute;
    this.loaded = servers.length > 0;
    this.launcher = new Launcher({ parent: this, deps });
    this.servers = new ServersPanel({ parent: this, deps });
    this.launcher.draw();
    this.servers.draw();
    this.listenTo(sessions, 'update change loaded', this.redraw);
    this.listenTo(servers, 'update', this.redraw);
    this.listenTo(servers, 'loaded', () => {
      this.loaded = true;
      this.redraw();
    });
    this.every(1_000, () => this.redraw());
    const lists = deps.compute.watch();
    this.cleanup(() => lists.close());
  }

  override title(): string {
    return 'Compute';
  }

  stop(session: SessionModel): void {
    const { compute } = this.deps;
    const stop = () => void compute.stop(String(session.id));
    if ((session.get('cells') ?? 0) === 0) {
      stop();
      return;
    }
    const title = sessionTitle(session, compute.servers);
    const running = session.get('state') === 'busy';
    new StopDialog({ parent: this, title, restart: false, running, onConfirm: stop }).open();
  }

  override template(): TemplateResult {
    const { compute, nowMs } = this.deps;
    const living = compute.sessions.living();
    const dead = compute.sessions.dead();
    const actions = { servers: compute.servers, nowMs, stop: (session: SessionModel) => this.stop(session) };
    return html`<div class="page-title"><h1>Compute</h1><span class="dim">${living.length === 0 ? '' : plural(living.length, 'session')}</span></div>
      ${
        this.loaded && compute.servers.length === 0
          ? html`<div class="empty"><h2>No host computes yet</h2><p>Start the compute server beside the agent of a host; the host appears here by itself.</p><a class="btn btn-quiet" href="#/hosts">To the hosts</a></div>`
          : this.launcher.el
      }
      <section class="compute-section">
        <div class="section-title"><h2>Sessions</h2><span class="dim">Output is kept by the manager: close the page, come back, send the link.</span></div>
        ${living.length === 0 ? html`<p class="dim">No session is alive. Start one above; it is ready at once.</p>` : livingRows(living, actions)}
      </section>
      ${dead.length === 0 ? nothing : html`<section class="compute-section"><div class="section-title"><h2>Ended in the last day</h2></div>${endedRows(dead, actions)}</section>`}
      ${compute.servers.length === 0 ? nothing : html`<section class="compute-section">${this.servers.el}</section>`}`;
  }
}
