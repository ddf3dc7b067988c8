import { z } from 'zod';
import { type AgentMessage, agentMessageSchema, frameHeaderSchema } from '../../common/wire/link.ts';
import type { LinkFrame } from './ports.ts';

const LIMIT_HEADER_BYTES = 4 * 1024 ** 2;
const NEWLINE = 0x0a;

const linesHeaderSchema = z.object({ t: z.literal('lines'), frames: z.array(frameHeaderSchema).min(1).max(10_000) });

/** A message that is not of the agreed form: the link is closed, the reason is logged. */
export class MessageFault extends Error {}

export function readText(text: string): AgentMessage {
  const found = agentMessageSchema.safeParse(parse(text));
  if (found.success) return found.data;
  throw new MessageFault(`a message is not of the agreed form: ${found.error.issues[0]?.path.join('.') ?? ''}`);
}

/** Frames of a binary message: one line of JSON with all headers, then the bodies one after another, not copied. */
export function readLines(message: Buffer): LinkFrame[] {
  const end = message.subarray(0, LIMIT_HEADER_BYTES).indexOf(NEWLINE);
  if (end < 0) throw new MessageFault('a message of lines has no header');
  const found = linesHeaderSchema.safeParse(parse(message.toString('utf8', 0, end)));
  if (!found.success) throw new MessageFault('the header of a message of lines is not of the agreed form');
  let at = end + 1;
  const frames = found.data.frames.map((header) => {
    const body = message.subarray(at, at + header.bytes);
    at += header.bytes;
    return { header, body };
  });
  if (at !== message.byteLength) throw new MessageFault('a message of lines is not as long as its headers say');
  return frames;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MessageFault('a message is not JSON');
  }
}
