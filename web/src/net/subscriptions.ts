import { applyPatch } from '../../../common/pure/patch/apply.ts';
import type { PatchOperation } from '../../../common/wire/live.ts';
import type { LiveSocket } from './socket.ts';

/** Who wants what stands at an address, kept in step. */
export interface Follower {
  /** The present body. `whole` is true for the answer to the question, false for what one change made of it. */
  take(body: unknown, whole: boolean): void;
  /** It could not be asked for; it is tried again until it can. */
  fail?(code: string, message: string): void;
}

export interface Following {
  close(): void;
}

/** Addresses of the API whose answers are pushed to us as they change. */
export interface Subscriptions {
  /** Follows an address until closed; survives lost connections. Several may follow the same one. */
  follow(uri: string, follower: Follower): Following;
  /** True once an address was answered: what comes by other roads is older. */
  told(uri: string): boolean;
  onChange(change: { uri: string; version: number; patch: PatchOperation[] }): void;
  /** The socket is back: asks for everything again. */
  resume(): void;
  /** The socket is gone: answers that still come belong to the past. */
  pause(): void;
}

const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;

function patched(body: unknown, patch: PatchOperation[]): unknown {
  try {
    return applyPatch(body, patch);
  } catch {
    return undefined;
  }
}

export function createSubscriptions(socket: LiveSocket, onSignedOut: () => void): Subscriptions {
  const followers = new Map<string, Set<Follower>>();
  const kept = new Map<string, { version: number; body: unknown }>();
  const told = new Set<string>();
  let generation = 0;

  function tell(uri: string, body: unknown, whole: boolean): void {
    for (const follower of [...(followers.get(uri) ?? [])]) follower.take(body, whole);
  }

  function subscribe(uri: string): void {
    const asked = generation;
    kept.delete(uri);
    socket.timeout(ACK_TIMEOUT_MS).emit('subscribe', { uri }, (timedOut, answer) => {
      // A late answer of an earlier connection must not overwrite what the present one said.
      if (asked !== generation || !socket.connected || !followers.has(uri)) return;
      if (timedOut || answer.err !== null) {
        if (!timedOut && answer.err !== null) {
          if (answer.err === 'not-signed-in') return onSignedOut();
          for (const follower of followers.get(uri)!) follower.fail?.(answer.err, answer.message);
        }
        setTimeout(() => asked === generation && followers.has(uri) && subscribe(uri), RETRY_MS);
        return;
      }
      kept.set(uri, { version: answer.data.version, body: answer.data.body });
      told.add(uri);
      tell(uri, answer.data.body, true);
    });
  }

  return {
    follow(uri, follower) {
      const known = followers.get(uri);
      const all = known ?? new Set();
      all.add(follower);
      followers.set(uri, all);
      const entry = kept.get(uri);
      if (entry !== undefined) follower.take(entry.body, true);
      else if (known === undefined && socket.connected) subscribe(uri);
      return {
        close() {
          if (!all.delete(follower) || all.size > 0 || followers.get(uri) !== all) return;
          followers.delete(uri);
          kept.delete(uri);
          if (socket.connected) socket.emit('unsubscribe', { uri });
        },
      };
    },
    told: (uri) => told.has(uri),
    onChange(change) {
      const entry = kept.get(change.uri);
      if (entry === undefined || change.version <= entry.version) return;
      // A missed version, or a patch that does not fit, means that our copy is wrong: ask for the whole again.
      const body = change.version === entry.version + 1 ? patched(entry.body, change.patch) : undefined;
      if (body === undefined) return subscribe(change.uri);
      entry.body = body;
      entry.version = change.version;
      tell(change.uri, body, false);
    },
    resume() {
      generation += 1;
      for (const uri of followers.keys()) subscribe(uri);
    },
    pause() {
      generation += 1;
    },
  };
}
