interface Watched {
  benchGaps: number[] | null;
}

/** Runs in the page: notes from now on how long each animation frame was after the one before, ms. */
export function watchFrames(): void {
  const watched = window as unknown as Watched;
  const gaps: number[] = [];
  watched.benchGaps = gaps;
  let last = 0;
  const tick = (nowMs: number) => {
    if (watched.benchGaps !== gaps) return;
    if (last > 0) gaps.push(nowMs - last);
    last = nowMs;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** Runs in the page: ends the watch; every gap that was seen. */
export function takeFrames(): number[] {
  const watched = window as unknown as Watched;
  const gaps = watched.benchGaps ?? [];
  watched.benchGaps = null;
  return gaps;
}

/** Runs in the page: scrolls the stream up by a step in every frame; resolves with the gaps between frames. */
export function scrollSteadily({ px, frames }: { px: number; frames: number }): Promise<number[]> {
  const scroller = document.querySelector<HTMLElement>('.stream-scroll')!;
  const gaps: number[] = [];
  let last = 0;
  return new Promise((resolve) => {
    const tick = (nowMs: number) => {
      if (last > 0) gaps.push(nowMs - last);
      last = nowMs;
      if (gaps.length >= frames) return resolve(gaps);
      scroller.scrollTop -= px;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
}

/** Runs in the page: drags the scrollbar to a share of the stream; resolves when the rows there were painted, with the ms. */
export function jumpTo(share: number): Promise<number> {
  const scroller = document.querySelector<HTMLElement>('.stream-scroll')!;
  const startedMs = performance.now();
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      port1.onmessage = () => resolve(performance.now() - startedMs);
      port2.postMessage(0);
    });
    observer.observe(document.querySelector('.stream-space')!, { subtree: true, childList: true, characterData: true });
    scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight);
  });
}
