/** The fixed elements of a page with a virtual table. */
export interface TableFrame {
  head: HTMLElement;
  table: HTMLElement;
  tableHead: HTMLElement;
  scroller: HTMLElement;
  space: HTMLElement;
  empty: HTMLElement;
}

export function tableFrame(label: string): TableFrame {
  const head = div('page-head');
  const table = div('t-table');
  table.setAttribute('role', 'table');
  table.setAttribute('aria-label', label);
  const tableHead = div('t-head');
  tableHead.setAttribute('role', 'row');
  const scroller = div('t-scroll');
  scroller.tabIndex = 0;
  const space = div('t-space');
  space.setAttribute('role', 'rowgroup');
  const empty = div('empty');
  empty.hidden = true;
  // The head scrolls with the rows and sticks: so its columns are as wide as theirs, scrollbar or not.
  scroller.append(tableHead, space, empty);
  table.append(scroller);
  return { head, table, tableHead, scroller, space, empty };
}

function div(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  return element;
}
