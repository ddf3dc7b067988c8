import type { WebSocket } from 'ws';
import { createLinkSession, type LinkDeps, type LinkSession } from './link-session.ts';

export interface LinkTimes {
  /** The manager pings every three seconds: without a word for this long it is gone. */
  silenceMs: number;
  /** An open link has this long to answer when another one wants its place. */
  probeMs: number;
  checkMs: number;
}

export const LINK_TIMES: LinkTimes = { silenceMs: 10_000, probeMs: 2_000, checkMs: 1_000 };
const MAX_SESSIONS = 4;

/**
 * The links to this agent: at most one is in. Another connection is greeted, and let in when the first has ended or does
 * not answer: a half-open connection of a manager that is back must not lock it out, and two managers never both command.
 * Of several that wait the newest is let in: whoever dialled again has given up what it dialled before.
 */
export function createLinkServer(deps: LinkDeps, { silenceMs, probeMs, checkMs }: LinkTimes = LINK_TIMES) {
  /** In the order in which they came. */
  const sessions = new Set<LinkSession>();
  const wanting = new Set<LinkSession>();
  let deciding = false;
  let active: { session: LinkSession; number: number; sinceMs: number } | null = null;
  let numbers = 0;
  const timer = setInterval(checkSilence, checkMs);
  timer.unref();

  function checkSilence(): void {
    const now = performance.now();
    for (const session of [...sessions]) if (now - session.heardAt() >= silenceMs) session.end('the manager is silent');
  }

  async function decide(): Promise<void> {
    if (deciding) return;
    deciding = true;
    try {
      while (wanting.size > 0) await decideOnce();
    } finally {
      deciding = false;
    }
  }

  async function decideOnce(): Promise<void> {
    const before = active;
    if (before !== null && (await before.session.answers(probeMs))) {
      for (const session of [...wanting]) session.end('another link is open and answers');
      return;
    }
    if (before !== null && sessions.has(before.session)) before.session.end('replaced: it does not answer');
    // While it was asked, they may all have ended.
    const newest = [...wanting].at(-1);
    if (newest === undefined) return;
    wanting.delete(newest);
    for (const session of [...wanting]) session.end('a newer link came');
    letIn(newest);
  }

  function letIn(session: LinkSession): void {
    numbers += 1;
    active = { session, number: numbers, sinceMs: deps.now() };
    deps.log.info('The link to the manager is open', { link: numbers });
    session.letIn();
  }

  function ended(session: LinkSession, reason: string): void {
    sessions.delete(session);
    wanting.delete(session);
    if (active?.session !== session) return;
    deps.log.warn('The link to the manager ended', { link: active.number, reason });
    active = null;
  }

  return {
    accept(socket: WebSocket): void {
      // Each cut of a flapping road may leave one here that has not heard of it: the oldest makes room.
      for (const oldest of [...sessions])
        if (sessions.size >= MAX_SESSIONS && oldest !== active?.session) oldest.end('newer links came');
      const session = createLinkSession(socket, deps, {
        resume(asking) {
          wanting.add(asking);
          void decide();
        },
        end: ended,
      });
      sessions.add(session);
    },
    state: () => ({ connected: active !== null, sinceMs: active?.sinceMs ?? null }),
    stop(): void {
      clearInterval(timer);
      for (const session of [...sessions]) session.end('the agent stops');
    },
  };
}
export type LinkServer = ReturnType<typeof createLinkServer>;
