import type { NumberedEvent } from '../../../common/model/compute.ts';
import type { Notebook } from '../models/compute/notebook.ts';
import type { LiveSocket } from './socket.ts';

/** Sessions that are watched over one socket: each feeds one notebook and goes on behind its last event after a loss. */
export interface Attachments {
  open(notebook: Notebook): { close(): void };
  onOutput(batch: { session: string; events: NumberedEvent[] }): void;
  /** Attaches again to every session: called when the socket is back. */
  resume(): void;
}

interface Attachment {
  notebook: Notebook;
  /** Batches that came before the answer; null once it is here. */
  early: NumberedEvent[][] | null;
  /** Counts the questions: a late answer to an earlier one is nobody's. */
  asked: number;
}

const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
/** These do not change by asking again. */
const FINAL = new Set(['not-found', 'forbidden', 'bad-request']);

export function createAttachments(socket: LiveSocket): Attachments {
  const open = new Map<string, Attachment>();

  function request(attachment: Attachment): void {
    const { notebook } = attachment;
    if (open.get(notebook.id) !== attachment || !socket.connected) return;
    attachment.asked += 1;
    attachment.early = [];
    const { asked } = attachment;
    socket
      .timeout(ACK_TIMEOUT_MS)
      .emit('compute:attach', { session: notebook.id, from: notebook.next }, (timedOut, answer) => {
        if (open.get(notebook.id) !== attachment || attachment.asked !== asked) return;
        if (timedOut || answer.err !== null) {
          if (!timedOut && answer.err !== null) notebook.fail(answer.err, answer.message);
          if (timedOut || answer.err === null || !FINAL.has(answer.err))
            setTimeout(() => request(attachment), RETRY_MS);
          return;
        }
        const early = attachment.early ?? [];
        attachment.early = null;
        notebook.opened(answer.data.session, answer.data.firstSeq, answer.data.nextSeq);
        for (const events of early) take(attachment, events);
      });
  }

  function take(attachment: Attachment, events: NumberedEvent[]): void {
    if (attachment.early !== null) attachment.early.push(events);
    // A hole is asked for at once; everything behind it comes again.
    else if (!attachment.notebook.take(events)) request(attachment);
  }

  return {
    open(notebook) {
      const attachment: Attachment = { notebook, early: [], asked: 0 };
      open.set(notebook.id, attachment);
      request(attachment);
      return {
        close() {
          if (open.get(notebook.id) !== attachment) return;
          open.delete(notebook.id);
          if (socket.connected) socket.emit('compute:detach', { session: notebook.id });
        },
      };
    },
    onOutput({ session, events }) {
      const attachment = open.get(session);
      if (attachment !== undefined) take(attachment, events);
    },
    resume() {
      for (const attachment of open.values()) request(attachment);
    },
  };
}
