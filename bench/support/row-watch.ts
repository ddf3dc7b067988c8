interface Watched {
  benchRowsMs: number | null;
  benchChanged: { rows: Set<string>; paintedMs: number | null };
}

/** Runs in a page before its scripts: notes when the first rows of a table with `total` in its title were painted. */
export function watchFirstRows(total: string): void {
  const watched = window as unknown as Watched;
  watched.benchRowsMs = null;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    watched.benchRowsMs ??= performance.now();
  };
  const observer = new MutationObserver(() => {
    if (document.querySelector('.t-row .t-name') === null) return;
    if (!document.querySelector('.page-title')?.textContent?.includes(total)) return;
    observer.disconnect();
    requestAnimationFrame(() => port2.postMessage(0));
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true });
}

/** Runs in the page: milliseconds from the start of the navigation to the painted rows; null when they are not there. */
export function firstRowsMs(): number | null {
  return (window as unknown as Watched).benchRowsMs;
}

/** Runs in the page: from now on counts the rows whose content changes, and notes when the first change was painted. */
export function watchChanges(offsetMs: number): void {
  const watched = window as unknown as Watched;
  watched.benchChanged = { rows: new Set(), paintedMs: null };
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    watched.benchChanged.paintedMs ??= offsetMs + performance.now();
  };
  new MutationObserver((records) => {
    let some = false;
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const row = element?.closest<HTMLElement>('.t-row');
      if (row == null) continue;
      some = true;
      watched.benchChanged.rows.add(row.dataset['id'] ?? '');
    }
    if (some && watched.benchChanged.paintedMs === null) port2.postMessage(0);
  }).observe(document.querySelector('.t-space')!, { subtree: true, childList: true, characterData: true });
}

/** Runs in the page: forgets the changes so far. */
export function forgetChanges(): void {
  const watched = window as unknown as Watched;
  watched.benchChanged.rows.clear();
  watched.benchChanged.paintedMs = null;
}

/** Runs in the page: what changed since, by instance, and when it was painted (wall clock, ms). */
export function changesSeen(): { rows: string[]; paintedMs: number | null } {
  const { rows, paintedMs } = (window as unknown as Watched).benchChanged;
  return { rows: [...rows], paintedMs };
}

/** Runs in the page: true when the row of an instance shows a text. */
export function rowShows({ id, text }: { id: string; text: string }): boolean {
  const { paintedMs } = (window as unknown as Watched).benchChanged;
  return paintedMs !== null && Boolean(document.querySelector(`.t-row[data-id="${id}"]`)?.textContent?.includes(text));
}

/** Runs in the page: ids of the rows on screen, from the top. */
export function shownIds(): string[] {
  return [...document.querySelectorAll<HTMLElement>('.t-row:not([hidden])')]
    .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
    .map((row) => row.dataset['id'] ?? '');
}
