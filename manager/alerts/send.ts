import type { StoredDestination } from '../store/ports.ts';
import { summaryOf } from './gathered-text.ts';
import type { Told } from './notice-text.ts';
import type { Post } from './safe-post.ts';
import type { SendMail } from './send-mail.ts';
import { signatureOf } from './sign.ts';
import { fillTemplate, listOf, placesOf } from './template.ts';
import { wordsOf } from './words.ts';

/** One message to one destination. `id` is the same at every try. */
export interface Message extends Told {
  id: string;
  destination: StoredDestination;
}

/** A section of a chat takes 3,000 characters. */
const LIMIT_CHAT_TEXT = 2_800;

/** Delivers, or rejects with a DeliveryError. */
export type Send = (message: Message) => Promise<void>;

export function createSend(deps: { post: Post; mail: SendMail; consoleUrl(): string; nowMs: () => number }): Send {
  async function hook({ id, destination, ...told }: Message): Promise<void> {
    const places = placesOf(told, id, deps.consoleUrl());
    const { body, type } =
      destination.template === ''
        ? { body: JSON.stringify({ ...nested(places), ...listOf(told, deps.consoleUrl()) }), type: 'application/json' }
        : fillTemplate(destination.template, places);
    const headers: Record<string, string> = {
      'content-type': type,
      'user-agent': 'WebVirt',
      'webvirt-delivery': id,
      'webvirt-event': summaryOf(told).what,
      'idempotency-key': id,
    };
    if (destination.secret !== null) headers['webvirt-signature'] = signatureOf(destination.secret, body, deps.nowMs());
    await deps.post(destination.url ?? '', body, headers);
  }

  async function chat({ id, destination, ...told }: Message): Promise<void> {
    const words = wordsOf(told, deps.consoleUrl());
    const links = [
      `<${words.ruleUrl}|${words.ruleLabel}>`,
      ...(words.lineUrl === null ? [] : [`<${words.lineUrl}|Line>`]),
    ];
    const block = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
    const body = JSON.stringify({
      text: chatText(words.title),
      blocks: [
        block(`*${chatText(words.title)}*\n${cutEntities(chatText(words.text))}`),
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
      const words = wordsOf(message, deps.consoleUrl());
      await deps.mail({ id: message.id, to: message.destination.to, words, tsMs: message.notice.tsMs });
    } else if (message.destination.kind === 'chat') await chat(message);
    else await hook(message);
  };
}

/** The three characters that mean something in a message of a chat; a line of log must not mention or link anything. */
function chatText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Cut to what a section takes, never within `&amp;`. */
function cutEntities(text: string): string {
  if (text.length <= LIMIT_CHAT_TEXT) return text;
  return `${text.slice(0, LIMIT_CHAT_TEXT).replace(/&\w*$/, '')}…`;
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
