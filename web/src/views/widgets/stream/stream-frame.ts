import { html, render } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import type { Column, StreamLook } from '../../../models/stream-look.ts';
import { columnClass } from './row-dom.ts';

/** The fixed elements of a stream; rows are added by the pool. */
export interface StreamFrame {
  columns: HTMLElement;
  scroller: HTMLElement;
  space: HTMLElement;
  head: HTMLElement;
  detail: HTMLElement;
  empty: HTMLElement;
}

export function streamFrame(label: string): StreamFrame {
  const columns = div('stream-columns');
  columns.setAttribute('aria-hidden', 'true');
  const scroller = div('stream-scroll');
  scroller.tabIndex = 0;
  scroller.setAttribute('role', 'listbox');
  scroller.setAttribute('aria-label', label);
  const space = div('stream-space');
  const head = document.createElement('button');
  head.type = 'button';
  head.className = 'stream-older';
  head.hidden = true;
  const detail = div('stream-detail');
  detail.hidden = true;
  space.append(head, detail);
  scroller.append(space);
  return { columns, scroller, space, head, detail, empty: div('stream-empty') };
}

/** The columns that a stream shows: those of the look, but for what says nothing on its page. */
export function columnsOf(look: StreamLook, hide: readonly string[] = []): readonly Column[] {
  return look.state.columns.filter(({ field }) => !hide.includes(field));
}

/** Names over the columns; their edges are dragged. (By keys: the view menu.) */
export function drawColumns(el: HTMLElement, columns: readonly Column[], look: StreamLook): void {
  const drag = (event: PointerEvent, { field, px }: Column) => {
    event.preventDefault();
    const grip = event.currentTarget as HTMLElement;
    const fromPx = event.clientX;
    grip.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) => look.sizeColumn(field, px + moved.clientX - fromPx);
    grip.addEventListener('pointermove', move);
    grip.addEventListener('lostpointercapture', () => grip.removeEventListener('pointermove', move), { once: true });
  };
  render(
    html`${columns.map(
      (column) =>
        html`<span class=${columnClass(column.field)} title=${visibleText(column.field)}><b>${column.field === 'level' ? '' : visibleText(column.field)}</b>${
          column.field === 'level'
            ? null
            : html`<i class="column-grip" @pointerdown=${(event: PointerEvent) => drag(event, column)}></i>`
        }</span>`,
    )}<span class="c-message"><b>message</b></span>`,
    el,
  );
}

function div(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  return element;
}
