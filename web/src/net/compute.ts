import type { NumberedEvent, Session } from '../../../common/model/compute.ts';
import type { Compute } from '../models/compute/compute.ts';
import { type Draft, Notebook } from '../models/compute/notebook.ts';
import { Servers, Sessions } from '../models/compute/sessions.ts';
import type { Notices } from '../models/notices.ts';
import { type Api, ApiError } from './api.ts';
import type { Feed } from './feed.ts';
import { newOpId } from './op-id.ts';
import { sendOnce } from './send-once.ts';

const PAGE_EVENTS = 1_000;
const COMPLETE_TIMEOUT_MS = 3_000;
const SAVE_MS = 300;

interface ComputeDeps {
  api: Api;
  feed: Pick<Feed, 'followList' | 'attach' | 'complete'>;
  notices: Notices;
  /** Where typed code outlives a reload of the page. */
  storage: Storage;
}

export function createCompute({ api, feed, notices, storage }: ComputeDeps): Compute {
  const sessions = new Sessions();
  const servers = new Servers();
  const sending = new WeakMap<Notebook, Promise<void>>();
  const pathOf = (session: string) => `/api/v1/compute/sessions/${encodeURIComponent(session)}`;
  const draftsKey = (session: string) => `webvirt-drafts-${session}`;

  function loadDrafts(session: string): Draft[] {
    try {
      const kept: unknown = JSON.parse(storage.getItem(draftsKey(session)) ?? '[]');
      return Array.isArray(kept) ? kept.filter((draft): draft is Draft => typeof draft?.code === 'string') : [];
    } catch {
      return [];
    }
  }

  function saveDrafts(session: string, drafts: Draft[]): void {
    try {
      if (drafts.length === 0) storage.removeItem(draftsKey(session));
      else storage.setItem(draftsKey(session), JSON.stringify(drafts));
    } catch {
      // A full storage costs drafts a reload, nothing else.
    }
  }

  async function tell(title: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notices.sayError(title, error);
    }
  }

  return {
    sessions,
    servers,
    watch() {
      const lists = [
        feed.followList('/api/v1/compute/sessions', sessions),
        feed.followList('/api/v1/compute/servers', servers),
      ];
      return { close: () => lists.forEach((list) => void list.close()) };
    },
    open(session) {
      const notebook = new Notebook(session, loadDrafts(session));
      let timer: ReturnType<typeof setTimeout> | undefined;
      const save = () => notebook.ready && saveDrafts(session, notebook.drafts());
      notebook.on('draft layout', () => {
        clearTimeout(timer);
        timer = setTimeout(save, SAVE_MS);
      });
      const attachment = feed.attach(notebook);
      // A page that is left by a reload has no time for a timer.
      window.addEventListener('pagehide', save);
      return {
        notebook,
        close() {
          clearTimeout(timer);
          window.removeEventListener('pagehide', save);
          save();
          notebook.off();
          attachment.close();
        },
      };
    },
    async start(request, drafts = []) {
      const session = await sendOnce<Session>(api, '/api/v1/compute/sessions', { ...request, opId: newOpId() } as {
        opId: string;
      });
      saveDrafts(session.id, drafts);
      return session;
    },
    run(notebook, cell) {
      const request = { ...notebook.sending(cell), opId: newOpId() };
      // Calls over several connections overtake each other: each waits for the answer to the one before.
      const before = sending.get(notebook) ?? Promise.resolve();
      const sent = before.then(async () => {
        try {
          await sendOnce(api, `${pathOf(notebook.id)}/cells`, request);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          notebook.refuse(cell, error.message);
        }
      });
      sending.set(notebook, sent);
      return sent;
    },
    interrupt: (session) => tell('Interrupt: not accepted', () => api.post(`${pathOf(session)}/interrupt`, {})),
    stop: (session) => tell('Stop: not accepted', () => api.remove(pathOf(session))),
    complete: (session, code, cursor) => feed.complete(session, code, cursor, COMPLETE_TIMEOUT_MS),
    async written(session, cell) {
      let text = '';
      for (let from = 0; ; ) {
        const page = await api.get<{ events: NumberedEvent[]; next: number; end: boolean }>(
          `${pathOf(session)}/output?from=${from}&limit=${PAGE_EVENTS}`,
        );
        for (const { event } of page.events) {
          if (event.type === 'died' || event.cell !== cell) continue;
          if (event.type === 'stdout' || event.type === 'stderr') text += event.text;
          else if (event.type === 'result' || event.type === 'display') text += `${event.data['text/plain'] ?? ''}\n`;
          else if (event.type === 'error') text += `${event.traceback}\n`;
          else if (event.type === 'skipped') text += `[${event.bytes} bytes were not kept: ${event.reason}]\n`;
        }
        // A session that is still at work has no end yet: an empty page is the end for now.
        if (page.end || page.events.length === 0 || page.next <= from) return text;
        from = page.next;
      }
    },
  };
}
