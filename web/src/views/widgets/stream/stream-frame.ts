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

/** What the messages give way to last: these stand in the open line too. */
const GIVE_WAY = ['instance', 'source'];
const LEAST_MESSAGE_PX = 300;
const GAP_PX = 10;
const EDGES_PX = 24;
/** Narrower streams have rows of two lines, where columns take nothing from the message. */
const TWO_LINES_PX = 420;

/**
 * The columns that a stream shows: those of the look, but for what says nothing on its page, and for what would leave the
 * message no room. `widthPx` 0: not known yet.
 */
export function columnsOf(look: StreamLook, hide: readonly string[], widthPx: number): readonly Column[] {
  let columns = look.state.columns.filter(({ field }) => !hide.includes(field));
  if (widthPx < TWO_LINES_PX) return columns;
  const left = () => widthPx - EDGES_PX - columns.reduce((sum, { px }) => sum + px + GAP_PX, 0);
  for (const field of GIVE_WAY)
    if (left() < LEAST_MESSAGE_PX) columns = columns.filter((column) => column.field !== field);
  return columns;
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
