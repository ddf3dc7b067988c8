import type { WebSocket } from 'ws';
import { createLinkSession, type LinkDeps, type LinkSession } from './link-session.ts';

/** The manager pings every three seconds: without a word for this long it is gone. */
const SILENCE_MS = 10_000;
/** An open link has this long to answer when another one wants its place. */
const PROBE_MS = 2_000;
const CHECK_MS = 1_000;
const MAX_SESSIONS = 4;

/**
 * The links to this agent: at most one is in. Another connection is greeted, and let in when the first has ended or does
 * not answer: a half-open connection of a manager that is back must not lock it out, and two managers never both command.
 */
export function createLinkServer(deps: LinkDeps) {
  const sessions = new Set<LinkSession>();
  let active: { session: LinkSession; number: number; sinceMs: number } | null = null;
  let numbers = 0;
  const timer = setInterval(checkSilence, CHECK_MS);
  timer.unref();

  function checkSilence(): void {
    const now = performance.now();
    for (const session of [...sessions])
      if (now - session.heardAt() >= SILENCE_MS) session.end('the manager is silent');
  }

  async function wantsIn(session: LinkSession): Promise<void> {
    const before = active;
    if (before !== null) {
      if (await before.session.answers(PROBE_MS)) {
        session.end('another link is open and answers');
        return;
      }
      if (sessions.has(before.session)) before.session.end('replaced: it does not answer');
    }
    // While it was asked, this one may have ended, or a third one was let in.
    if (!sessions.has(session)) return;
    if (active !== null) {
      session.end('another link came first');
      return;
    }
    numbers += 1;
    active = { session, number: numbers, sinceMs: deps.now() };
    deps.log.info('The link to the manager is open', { link: numbers });
    session.letIn();
  }

  function ended(session: LinkSession, reason: string): void {
    sessions.delete(session);
    if (active?.session !== session) return;
    deps.log.warn('The link to the manager ended', { link: active.number, reason });
    active = null;
  }

  return {
    hasRoom: () => sessions.size < MAX_SESSIONS,
    accept(socket: WebSocket): void {
      const session = createLinkSession(socket, deps, {
        resume: (asking) => void wantsIn(asking),
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
