import { inFrame } from '../../../dom/frame.ts';

export interface VirtualRows {
  /** Sets what is listed, in order, and draws. */
  show(ids: readonly string[]): void;
  /** Draws one row again if it is on screen. */
  repaint(id: string): void;
  repaintAll(): void;
  reveal(index: number): void;
  select(id: string | null): void;
  stop(): void;
}

export interface VirtualRowsDeps {
  scroller: HTMLElement;
  space: HTMLElement;
  /** Height of a row now; it depends on the width of the screen. */
  rowPx: () => number;
  draw: (el: HTMLElement, id: string) => void;
}

const SPARE_ROWS = 6;

/** Only the rows on screen are elements; a row keeps its element while it is shown, so one change paints one row. */
export function createVirtualRows(deps: VirtualRowsDeps): VirtualRows {
  const { scroller, space } = deps;
  const shown = new Map<string, HTMLElement>();
  const spare: HTMLElement[] = [];
  let ids: readonly string[] = [];
  let viewPx = 0;
  let selected: string | null = null;

  function place(): void {
    const rowPx = deps.rowPx();
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowPx) - SPARE_ROWS);
    const to = Math.min(ids.length, Math.ceil((scroller.scrollTop + viewPx) / rowPx) + SPARE_ROWS);
    const next = new Map<string, number>();
    for (let index = from; index < to; index += 1) next.set(ids[index]!, index);
    for (const [id, el] of shown) {
      if (next.has(id)) continue;
      el.hidden = true;
      shown.delete(id);
      spare.push(el);
    }
    for (const [id, index] of next) {
      let el = shown.get(id);
      if (el === undefined) {
        el = spare.pop() ?? newRow();
        el.hidden = false;
        el.dataset['id'] = id;
        shown.set(id, el);
        deps.draw(el, id);
      }
      el.style.transform = `translateY(${index * rowPx}px)`;
      el.classList.toggle('is-odd', index % 2 === 1);
      el.classList.toggle('is-selected', id === selected);
    }
  }

  function newRow(): HTMLElement {
    const el = document.createElement('div');
    el.className = 't-row';
    el.setAttribute('role', 'row');
    space.append(el);
    return el;
  }

  function soon(): void {
    inFrame(space, place);
  }

  const sizes = new ResizeObserver(() => {
    viewPx = scroller.clientHeight - space.offsetTop;
    space.style.height = `${ids.length * deps.rowPx()}px`;
    soon();
  });
  sizes.observe(scroller);
  scroller.addEventListener('scroll', soon, { passive: true });

  return {
    show(next) {
      ids = next;
      space.style.height = `${ids.length * deps.rowPx()}px`;
      soon();
    },
    repaint(id) {
      const el = shown.get(id);
      if (el !== undefined) inFrame(el, () => shown.get(id) === el && deps.draw(el, id));
    },
    repaintAll() {
      for (const [id, el] of shown) deps.draw(el, id);
    },
    reveal(index) {
      const rowPx = deps.rowPx();
      const top = index * rowPx;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + rowPx > scroller.scrollTop + viewPx) scroller.scrollTop = top + rowPx - viewPx;
      soon();
    },
    select(id) {
      selected = id;
      soon();
    },
    stop() {
      sizes.disconnect();
      scroller.removeEventListener('scroll', soon);
    },
  };
}
