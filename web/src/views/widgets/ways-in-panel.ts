import { html, type TemplateResult } from 'lit-html';
import type { ReasonCount, WayCounts, WayIn } from '../../../../common/model/way-in.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText, dayTimeText, plural, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { Follows } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';

export type WaysInOptions = ViewOptions & { deps: { follow: Pick<Follows, 'waysIn'> } };

const NAMES: Record<string, string> = {
  ...{ http: 'HTTP', otlp: 'OpenTelemetry', loki: 'Loki push' },
  ...{ 'syslog-udp': 'Syslog, UDP', 'syslog-tcp': 'Syslog, TCP', 'syslog-tls': 'Syslog, TLS' },
};
const SENDERS_SHOWN = 8;

/** What came in from programs outside, by which way and from whom: taken, refused and lost, with the reasons. */
export class WaysInPanel extends View<WaysInOptions> {
  declare ways: WayIn[] | null;

  override preinitialize(options: WaysInOptions): void {
    super.preinitialize(options);
    this.className = 'ways-in';
    this.ways = null;
  }

  override initialize(): void {
    const following = this.options.deps.follow.waysIn((ways) => {
      this.ways = ways;
      this.redraw();
    });
    this.cleanup(() => following.close());
  }

  override template(): TemplateResult {
    if (this.ways === null) return html``;
    const on = this.ways.filter(({ listens }) => listens !== null);
    const off = this.ways.filter(({ listens }) => listens === null).map(({ way }) => NAMES[way] ?? way);
    return html`<h2>From programs outside <small class="dim">since the manager was started</small></h2>
      ${on.map((way) => this.way(way))}
      ${off.length === 0 ? null : html`<p class="dim">Off: ${off.join('; ')}. They are switched on in the configuration of the manager (intake.syslog).</p>`}`;
  }

  way(way: WayIn): TemplateResult {
    const { listens, senders } = way;
    const isQuiet = way.lastSeenMs === null;
    const shown = senders.slice(0, SENDERS_SHOWN);
    return html`<section class="way-in" aria-label=${NAMES[way.way] ?? way.way}>
      <header><b>${NAMES[way.way] ?? way.way}</b> <code>${visibleText(listens ?? '')}</code>
        <span class="way-count">${isQuiet ? html`<span class="dim">nothing yet</span>` : counts(way)}</span></header>
      ${reasons('refused', way.refused)}${reasons('lost', way.dropped)}
      ${
        shown.length === 0
          ? null
          : html`<ul>${shown.map(
              (one) =>
                html`<li><span class="way-sender">${visibleText(one.name)}</span> <span class="way-count">${counts(one)}</span> ${one.lastSeenMs === null ? null : html`<time class="dim" title=${utcText(one.lastSeenMs)}>${dayTimeText(one.lastSeenMs).slice(0, 19)}</time>`}</li>`,
            )}${senders.length > SENDERS_SHOWN ? html`<li class="dim">and ${plural(senders.length - SENDERS_SHOWN, 'other sender')}</li>` : null}</ul>`
      }
    </section>`;
  }
}

const sum = (list: readonly ReasonCount[]) => list.reduce((all, { count }) => all + count, 0);

function counts({ taken, refused, dropped, sentBack }: WayCounts): string {
  const parts = [
    `${countText(taken)} taken`,
    ...(refused.length > 0 ? [`${countText(sum(refused))} refused`] : []),
    ...(dropped.length > 0 ? [`${countText(sum(dropped))} lost`] : []),
    ...(sentBack > 0 ? [`${plural(sentBack, 'request')} sent back`] : []),
  ];
  return parts.join(', ');
}

function reasons(what: string, list: readonly ReasonCount[]): TemplateResult | null {
  if (list.length === 0) return null;
  return html`<ul class="way-reasons">${list.map(
    ({ reason, count }) => html`<li>${icon('warn')} ${countText(count)} ${what}: ${visibleText(reason)}</li>`,
  )}</ul>`;
}
