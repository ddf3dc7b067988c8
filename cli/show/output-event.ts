import type { Death, MimeBundle, OutputEvent } from '../../common/model/compute.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { size } from './values.ts';

/** Where the parts of a computation go. `out` and `err` get text as it is to be written, line ends included. */
export interface OutputSinks {
  out(text: string): void;
  err(text: string): void;
  /** Takes an image; answers what to say of it. */
  image(type: string, data: Buffer): string;
}

const IMAGES: readonly string[] = ['image/png', 'image/jpeg', 'image/svg+xml'];

const CAUSES: Record<Death['cause'], string> = {
  terminated: 'it was stopped',
  refused: 'its host did not take it',
  'out-of-memory': 'it needed more memory than a session may have',
  'cell-time': 'the cell took longer than one may',
  idle: 'nobody used it for too long',
  'life-time': 'it was as old as a session may become',
  crash: 'the process crashed',
  exit: 'the code ended the process',
  'output-limit': 'it wrote more than a session may',
  'server-gone': 'the compute server of its host ended',
  'agent-gone': 'the agent of its host ended',
  'host-gone': 'its host is gone',
};

/** Why a session ended, in words. */
export function deathText(death: Death): string {
  const proof = visibleText(death.text);
  return `The session ended: ${CAUSES[death.cause]}${proof === '' ? '.' : ` (${proof})`}`;
}

/** Code may write what steers a terminal: on one it is shown as text. A pipe or a file gets it as it is. */
export const textFor = (stream: { isTTY?: boolean }, text: string) =>
  stream.isTTY === true ? visibleText(text, { keepNewlines: true }) : text;

/** Writes one event. What begins, ends or dies is for the caller to tell. */
export function showEvent(event: OutputEvent, sinks: OutputSinks): void {
  switch (event.type) {
    case 'stdout':
      sinks.out(event.text);
      break;
    case 'stderr':
      sinks.err(event.text);
      break;
    case 'result':
    case 'display':
      showBundle(event.data, sinks);
      break;
    case 'error':
      sinks.err(ended(event.traceback === '' ? `${event.name}: ${event.message}` : event.traceback));
      break;
    case 'skipped':
      sinks.err(`… ${size(event.bytes)} of output were not kept: ${event.reason}\n`);
      break;
    default:
  }
}

const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** The image where there is one, with its text only where it has none. */
function showBundle(data: MimeBundle, sinks: OutputSinks): void {
  const type = IMAGES.find((candidate) => data[candidate] !== undefined);
  if (type === undefined) {
    sinks.out(ended(data['text/plain'] ?? data['text/html'] ?? ''));
    return;
  }
  const text = data[type]!;
  sinks.err(`${sinks.image(type, type === 'image/svg+xml' ? Buffer.from(text) : Buffer.from(text, 'base64'))}\n`);
}
