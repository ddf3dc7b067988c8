import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText, durationText, percentText, plural, spanText, utcText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { deathWords } from '../../../models/compute/death-words.ts';
import type { Servers, SessionModel } from '../../../models/compute/sessions.ts';
import { meter, stateMark } from '../marks.ts';

/** What a session is called: its title, or its kernel. */
export function sessionTitle(session: Pick<SessionModel, 'get'> | undefined, servers: Servers): string {
  if (session === undefined) return 'Session';
  const title = session.get('title');
  if (title) return visibleText(title);
  const kernels = servers.get(session.get('host') ?? '')?.get('kernels') ?? [];
  const kernel = session.get('kernel')!;
  return visibleText(kernels.find(({ name }) => name === kernel)?.title ?? kernel);
}

/** Memory of a session against the limit of its host. */
export function memoryMeter(session: SessionModel, servers: Servers): TemplateResult {
  const used = session.get('memoryBytes') ?? null;
  const limit = servers.get(session.get('host') ?? '')?.get('limits')?.memoryBytes ?? null;
  if (used === null) return meter(null, 'Memory');
  if (limit === null) return html`<span>${bytesText(used)}</span>`;
  return meter(used / limit, 'Memory', `${bytesText(used)} / ${bytesText(limit)}`);
}

export function cpuText(session: SessionModel): string {
  const total = session.get('cpuMs');
  const ratio = session.ended() ? null : session.cpuNow();
  const now = ratio === null ? '' : `${percentText(ratio)}, `;
  return total === null || total === undefined ? '–' : `${now}${durationText(total)} in all`;
}

export interface RowActions {
  servers: Servers;
  nowMs: () => number;
  stop: (session: SessionModel) => void;
}

export function livingRows(sessions: SessionModel[], actions: RowActions): TemplateResult {
  return html`<div class="host-table session-table" role="table" aria-label="Sessions">
    <div class="session-row session-head" role="row">${['Session', 'State', 'Host', 'Owner', 'Memory', 'CPU', ''].map((name) => html`<span role="columnheader">${name}</span>`)}</div>
    ${repeat(
      sessions,
      (session) => session.id,
      (session) => living(session, actions),
    )}</div>`;
}

function living(session: SessionModel, { servers, nowMs, stop }: RowActions): TemplateResult {
  const at = session.attributes;
  const title = sessionTitle(session, servers);
  return html`<div class="session-row" role="row">
    <span role="cell" class="s-name"><a href="#/compute/${encodeURIComponent(at.id!)}">${title}</a>
      <small title=${utcText(at.createdMs!)}>${plural(at.cells ?? 0, 'run')}, began ${spanText(nowMs() - at.createdMs!)} ago, ${at.id!.slice(0, 6)}</small></span>
    <span role="cell" class="s-state">${stateMark(at.state!)}${at.runningCell ? html`<small>cell ${at.runningCell}</small>` : nothing}</span>
    <span role="cell" class="s-host" data-label="Host"><a href="#/hosts/${at.host}">${visibleText(at.hostName!)}</a></span>
    <span role="cell" class="s-owner" data-label="Owner">${visibleText(at.owner!)}</span>
    <span role="cell" class="s-memory" data-label="Memory">${memoryMeter(session, servers)}</span>
    <span role="cell" class="s-cpu" data-label="CPU">${cpuText(session)}</span>
    <span role="cell" class="s-stop"><button type="button" class="btn btn-sm btn-quiet" aria-label="Stop ${title} of ${visibleText(at.owner!)}" @click=${() => stop(session)}>${icon('stop')} Stop</button></span>
  </div>`;
}

export function endedRows(sessions: SessionModel[], { servers, nowMs }: RowActions): TemplateResult {
  return html`<ul class="ended-list">${repeat(
    sessions,
    (session) => session.id,
    (session) => {
      const { id, death, endedMs, createdMs, hostName, owner } = session.attributes;
      const words = death ? deathWords(death) : { title: 'Ended', advice: '' };
      return html`<li><a href="#/compute/${encodeURIComponent(id!)}"><b>${sessionTitle(session, servers)}</b></a>
        <span class="ended-cause ${death?.cause === 'terminated' || death?.cause === 'idle' || death?.cause === 'exit' ? '' : 'tone-bad'}">${words.title}</span>
        <span class="dim" title=${utcText(endedMs ?? createdMs!)}>${spanText(nowMs() - (endedMs ?? createdMs!))} ago on ${visibleText(hostName!)}, ${visibleText(owner!)}</span>
        ${death ? html`<small class="ended-proof">${visibleText(death.text)}</small>` : nothing}</li>`;
    },
  )}</ul>`;
}
