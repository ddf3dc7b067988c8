/** Runs in the page: from now on notes when a button of an action is pressed, wall clock in ms, before the page acts. */
export function watchButtons(offsetMs: number): void {
  document.addEventListener(
    'click',
    (event) => {
      if (!(event.target as Element).closest('[data-act]')) return;
      (window as unknown as { benchPressedMs: number }).benchPressedMs = offsetMs + event.timeStamp;
    },
    { capture: true },
  );
}

/** Runs in the page. */
export function pressedMs(): number {
  return (window as unknown as { benchPressedMs: number }).benchPressedMs;
}
