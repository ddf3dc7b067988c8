import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { backoffMs } from './backoff.ts';
import type { Log } from './log.ts';
import type { VirshChildren } from './virsh-children.ts';
import { addEventValue, parseEventLine, type VirshEvent } from './virsh-event-line.ts';

export interface EventHooks {
  /** Events that came together, oldest first. */
  onEvents(events: VirshEvent[]): void;
  /** Events may have been missed: read everything anew. */
  onGap(): void;
}

const MAX_LINE_CHARS = 64 * 1024;
/**
 * virsh does not say when it has registered for events. What changes between its start and that moment is found by
 * re-lists: one soon, one for a slow machine.
 */
const REGISTERED_MS = [150, 1_000];

/** The stream of libvirt's events, opened again whenever it ends. */
export function createVirshEvents(
  config: { uri: string },
  deps: { children: VirshChildren; log: Log },
  hooks: EventHooks,
): { start(): void; stop(): void } {
  let child: ChildProcessWithoutNullStreams | null = null;
  let timers: NodeJS.Timeout[] = [];
  let stopped = true;
  let failures = 0;

  function open(): void {
    const mine = deps.children.keep(['-q', '-c', config.uri, 'event', '--all', '--loop', '--timestamp']);
    const out = new StringDecoder('utf8');
    const openedAt = performance.now();
    let rest = '';
    let stderr = '';
    child = mine;
    mine.stdin.end();
    mine.stdout.on('data', (chunk: Buffer) => {
      if (child !== mine) return;
      const lines = (rest + out.write(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
      const events = readEvents(lines);
      if (events.length > 0) hooks.onEvents(events);
    });
    mine.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-1_024);
    });
    const ended = () => {
      if (child !== mine || stopped) return;
      child = null;
      clear();
      failures = performance.now() - openedAt > 10_000 ? 1 : failures + 1;
      const waitMs = backoffMs(failures);
      deps.log.debug('the stream of libvirt events ended', { reason: stderr.trim().slice(0, 256), waitMs });
      timers = [setTimeout(open, waitMs)];
      // Most often the daemon is gone: whoever reads finds out now and not by the next question.
      hooks.onGap();
    };
    mine.once('error', ended);
    mine.once('close', ended);
    timers = REGISTERED_MS.map((afterMs) => setTimeout(() => hooks.onGap(), afterMs));
  }

  function clear(): void {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      open();
    },
    stop() {
      stopped = true;
      clear();
      child?.kill('SIGKILL');
      child = null;
    },
  };
}

function readEvents(lines: readonly string[]): VirshEvent[] {
  const events: VirshEvent[] = [];
  for (const line of lines) {
    const last = events.at(-1);
    if (last !== undefined && addEventValue(last, line)) continue;
    const event = parseEventLine(line);
    if (event !== null) events.push(event);
  }
  return events;
}
