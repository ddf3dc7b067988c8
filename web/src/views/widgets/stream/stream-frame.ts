/** The fixed elements of a stream; rows are added by the pool. */
export interface StreamFrame {
  columns: HTMLElement;
  scroller: HTMLElement;
  space: HTMLElement;
  head: HTMLElement;
  detail: HTMLElement;
  empty: HTMLElement;
}

const COLUMNS = ['time', 'level', 'host', 'source', 'instance', 'message'];

export function streamFrame(label: string): StreamFrame {
  const columns = div('stream-columns');
  columns.setAttribute('aria-hidden', 'true');
  for (const name of COLUMNS) {
    const cell = document.createElement('span');
    cell.className = `c-${name}`;
    cell.textContent = name === 'level' ? '' : name;
    columns.append(cell);
  }
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

function div(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  return element;
}
