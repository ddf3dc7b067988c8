/** Of one message; the manager takes no more. */
const PIECE_CHARS = 2_048;
/** More than this never waits: nobody types it, and pasting asks before. */
const LIMIT_WAITING_CHARS = 1_000_000;

export interface KeySender {
  push(keys: string): void;
  clear(): void;
}

/**
 * Sends keys in order, one message under way at a time: what is typed meanwhile goes together in the next one. When a
 * message was not taken, what waits behind it is thrown away as well: half a command is worse than none.
 */
export function createKeySender(
  send: (data: string, done: (error: string | null) => void) => void,
  onUnsent: (reason: string) => void,
): KeySender {
  let waiting = '';
  let under = false;
  let generation = 0;

  function next(): void {
    if (under || waiting === '') return;
    let end = Math.min(PIECE_CHARS, waiting.length);
    // Not between the halves of one character.
    if (end < waiting.length && /[\ud800-\udbff]/.test(waiting[end - 1]!)) end -= 1;
    const piece = waiting.slice(0, end);
    waiting = waiting.slice(end);
    under = true;
    const mine = generation;
    send(piece, (error) => {
      if (mine !== generation) return;
      under = false;
      if (error !== null) {
        waiting = '';
        onUnsent(error);
      }
      next();
    });
  }

  return {
    push(keys) {
      if (waiting.length + keys.length > LIMIT_WAITING_CHARS) {
        onUnsent('Too many keys wait already.');
        return;
      }
      waiting += keys;
      next();
    },
    clear() {
      waiting = '';
      under = false;
      generation += 1;
    },
  };
}
