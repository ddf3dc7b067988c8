import { html, svg, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { countText, dayTimeText, plural, spanText } from '../../../dom/format.ts';
import type { RulePreview } from '../../../models/rules.ts';

const BARS = 48;
const WIDTH = 480;
const HEIGHT = 56;
const DAY_MS = 86_400_000;

/** When a rule would have fired in the last day: a bar for each half hour, and what that means in words. */
export function previewFigure(preview: RulePreview, groupName: (group: string | null) => string): TemplateResult {
  const { times, toMs, fromMs, fired, linesSeen, complete } = preview;
  const startMs = toMs - DAY_MS;
  const counts = new Array<number>(BARS).fill(0);
  for (const { tsMs } of times) {
    const at = Math.min(BARS - 1, Math.max(0, Math.floor(((tsMs - startMs) / DAY_MS) * BARS)));
    counts[at]! += 1;
  }
  const most = Math.max(1, ...counts);
  const unseen = complete ? 0 : Math.min(1, Math.max(0, (fromMs - startMs) / DAY_MS)) * WIDTH;
  const step = WIDTH / BARS;
  return html`<figure class="rule-preview">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${sentence(preview)}>
      ${unseen > 0 ? svg`<rect class="preview-unseen" x="0" y="0" width=${unseen} height=${HEIGHT} />` : null}
      ${counts.map((count, i) => {
        const height = count === 0 ? 1 : Math.max(4, (count / most) * HEIGHT);
        return svg`<rect class=${count === 0 ? 'preview-none' : 'preview-bar'} x=${i * step + 1} y=${HEIGHT - height} width=${step - 2} height=${height} />`;
      })}
    </svg>
    <div class="preview-axis"><span>a day ago</span><span>12 h</span><span>now</span></div>
    <figcaption><b>${sentence(preview)}</b>
      <span class="dim">${countText(linesSeen)} ${linesSeen === 1 ? 'line matches' : 'lines match'}${complete ? '' : `; looked back ${spanText(toMs - fromMs)} only, there are too many`}.</span>
      ${fired > 100 ? html`<span class="warn-text">That is often: narrow the filter, ask for more lines, or wait longer between.</span>` : null}
      ${
        times.length === 0
          ? null
          : html`<ol class="preview-times">${times
              .slice(-5)
              .reverse()
              .map(
                ({ tsMs, group, count }) =>
                  html`<li>${dayTimeText(tsMs).slice(0, 19)} ${group === null ? null : html`<b>${visibleText(groupName(group))}</b>`} ${count > 1 ? html`<span class="dim">${plural(count, 'line')}</span>` : null}</li>`,
              )}</ol>`
      }
    </figcaption></figure>`;
}

function sentence({ fired, complete, toMs, fromMs }: RulePreview): string {
  const time = complete ? 'in the last day' : `in the last ${spanText(toMs - fromMs)}`;
  return fired === 0 ? `It would not have fired ${time}.` : `It would have fired ${plural(fired, 'time')} ${time}.`;
}
