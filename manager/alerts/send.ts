import type { AlertNotice, StoredDestination } from '../store/ports.ts';
import { wordsOf } from './notice-text.ts';
import type { Post } from './safe-post.ts';
import type { SendMail } from './send-mail.ts';
import { signatureOf } from './sign.ts';
import { fillTemplate, placesOf } from './template.ts';

/** One message to one destination. `id` is the same at every try. */
export interface Message {
  id: string;
  destination: StoredDestination;
  notice: AlertNotice;
}

/** Delivers, or rejects with a DeliveryError. */
export type Send = (message: Message) => Promise<void>;

export function createSend(deps: { post: Post; mail: SendMail; consoleUrl(): string; nowMs: () => number }): Send {
  async function hook({ id, destination, notice }: Message): Promise<void> {
    const places = placesOf(notice, id, deps.consoleUrl());
    const { body, type } =
      destination.template === ''
        ? { body: JSON.stringify(nested(places)), type: 'application/json' }
        : fillTemplate(destination.template, places);
    const headers: Record<string, string> = {
      'content-type': type,
      'user-agent': 'WebVirt',
      'webvirt-delivery': id,
      'webvirt-event': notice.what,
      'idempotency-key': id,
    };
    if (destination.secret !== null) headers['webvirt-signature'] = signatureOf(destination.secret, body, deps.nowMs());
    await deps.post(destination.url ?? '', body, headers);
  }

  async function chat({ id, destination, notice }: Message): Promise<void> {
    const words = wordsOf(notice, deps.consoleUrl());
    const links = [`<${words.ruleUrl}|Rule>`, ...(words.lineUrl === null ? [] : [`<${words.lineUrl}|Line>`])];
    const block = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
    const body = JSON.stringify({
      text: chatText(words.title),
      blocks: [
        block(`*${chatText(words.title)}*\n${chatText(words.text)}`),
        { type: 'context', elements: [{ type: 'mrkdwn', text: links.join(' · ') }] },
      ],
    });
    await deps.post(destination.url ?? '', body, {
      ...{ 'content-type': 'application/json', 'user-agent': 'WebVirt' },
      ...{ 'webvirt-delivery': id, 'idempotency-key': id },
    });
  }

  return async (message) => {
    if (message.destination.kind === 'email') {
      const words = wordsOf(message.notice, deps.consoleUrl());
      await deps.mail({ id: message.id, to: message.destination.to, words, notice: message.notice });
    } else if (message.destination.kind === 'chat') await chat(message);
    else await hook(message);
  };
}

/** The three characters that mean something in a message of a chat; a line of log must not mention or link anything. */
function chatText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** `{'rule.id': 1}` as `{rule: {id: 1}}`. */
function nested(places: Record<string, string | number | null>): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(places)) {
    const [first = '', second] = name.split('.');
    if (second === undefined) all[first] = value;
    else all[first] = { ...(all[first] as Record<string, unknown> | undefined), [second]: value };
  }
  return all;
}
