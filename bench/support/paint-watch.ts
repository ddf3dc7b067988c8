/** A frame that showed lines: when it was painted, and the number of its newest line. */
export interface Frame {
  paintedMs: number;
  newest: number;
}

/** What a page saw of the lines of a talk. Wall clock, ms. */
export interface Sight {
  frames: Frame[];
  /** Messages of the socket: when they came, and the number of the newest line in them. */
  arrivals: { cameMs: number; newest: number; receivedMs: number }[];
  /** Lines that the server said it left out. */
  skipped: number;
  /** Longest time between two animation frames. */
  longestFrameMs: number;
}

interface Watched {
  benchSight: Sight & { offsetMs: number };
}

/** Runs in the page before its scripts: sees every message of its sockets before they do, without reading it as JSON. */
export function watchSockets(): void {
  const sight = { frames: [], arrivals: [], skipped: 0, longestFrameMs: 0, offsetMs: 0 } as Watched['benchSight'];
  (window as unknown as Watched).benchSight = sight;
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        const cameMs = sight.offsetMs + performance.now();
        if (typeof data !== 'string') return;
        const at = data.lastIndexOf('bench ');
        if (at < 0) return;
        const skipped = /"skipped":([1-9]\d*)/.exec(data);
        if (skipped !== null) sight.skipped += Number(skipped[1]);
        const received = data.lastIndexOf('"receivedMs":');
        sight.arrivals.push({
          cameMs,
          newest: Number.parseInt(data.slice(at + 6, at + 20), 10),
          receivedMs: received < 0 ? 0 : Number.parseInt(data.slice(received + 13, received + 33), 10),
        });
      });
    }
  };
}

/**
 * Runs in the page: notes every frame in which the text of a row below `selector` changed. The first task after the
 * frame's callbacks, styles and layout comes when the main thread has painted it. `drawnInFrame` is false where rows
 * change outside of animation frames: then the next frame is the one that paints them.
 */
export function watchPaints({ selector, drawnInFrame, offsetMs }: PaintOptions): void {
  const sight = (window as unknown as Watched).benchSight;
  Object.assign(sight, { frames: [], arrivals: [], skipped: 0, longestFrameMs: 0, offsetMs });
  let newest = -1;
  let asked = false;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    asked = false;
    sight.frames.push({ paintedMs: offsetMs + performance.now(), newest });
  };
  const painted = () => port2.postMessage(0);
  new MutationObserver((records) => {
    for (const record of records) {
      const nodes = record.type === 'childList' ? record.addedNodes : [record.target];
      for (const node of nodes) {
        const text = node.textContent ?? '';
        if (!text.startsWith('bench ')) continue;
        newest = Math.max(newest, Number.parseInt(text.slice(6, 20), 10));
      }
    }
    if (newest < 0 || asked) return;
    asked = true;
    if (drawnInFrame) painted();
    else requestAnimationFrame(painted);
  }).observe(document.querySelector(selector)!, { subtree: true, childList: true, characterData: true });
  let last = 0;
  const tick = (nowMs: number) => {
    if (last > 0 && newest >= 0) sight.longestFrameMs = Math.max(sight.longestFrameMs, nowMs - last);
    last = nowMs;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

export interface PaintOptions {
  selector: string;
  drawnInFrame: boolean;
  offsetMs: number;
}

/** Runs in the page. */
export function readSight(): Sight {
  return (window as unknown as Watched).benchSight;
}

/** Runs in the page: true when the line of this number was painted. */
export function hasPainted(number: number): boolean {
  return ((window as unknown as Watched).benchSight.frames.at(-1)?.newest ?? -1) >= number;
}
