// A program that spools known lines, sends them on stdout, and takes acks on stdin, until it is killed
// or told to stop. What it says is the ledger that `storm-ledger.ts` keeps in another process.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { EpochCursor } from '../../common/wire/link.ts';
import { noFailpoint, parseFailpoint } from '../../logging/failpoint.ts';
import { createSpool, type Frame } from '../../logging/spool/spool.ts';

const { values } = parseArgs({
  options: {
    path: { type: 'string', default: '' },
    run: { type: 'string', default: '0' },
    lines: { type: 'string', default: '0' },
    fail: { type: 'string' },
    capLines: { type: 'string' },
    epochEvery: { type: 'string', default: '0' },
  },
});
const failpoint = values.fail === undefined ? noFailpoint : parseFailpoint(values.fail);
const total = Number(values.lines);
const epochEvery = Number(values.epochEvery);

const spool = createSpool(
  {
    path: values.path,
    capBytes: 1e9,
    batchMaxLines: 40,
    now: Date.now,
    ...(values.capLines === undefined ? {} : { capLines: Number(values.capLines) }),
  },
  { failpoint },
);

/** Bodies that have broken spools before: empty, one byte, controls, line ends, long. */
const BODIES = ['', 'x', 'two\nlines', 'cr\r\nlf', '\0', '\u001b[31m', 'é日本😀', '\ud800', 'l'.repeat(3_000)];

const tell = (message: unknown) => writeSync(1, `${JSON.stringify(message)}\n`);
spool.onSpooled((frames) => {
  for (const { header, body } of frames) {
    const messages = header.gap === undefined ? JSON.parse(Buffer.from(body).toString()).message : null;
    tell({ t: 'spooled', epoch: header.epoch, first: header.first, count: header.count, messages });
  }
});

let at: EpochCursor | null = null;
function send(): void {
  for (;;) {
    const epochs = spool.epochs();
    at ??= { epoch: epochs[0]!.epoch, next: 0, hash: '0'.repeat(32) };
    const frames: Frame[] = spool.read({ epoch: at.epoch, from: at.next, hash: at.hash }, 20_000);
    if (frames.length === 0) {
      const later = epochs[epochs.findIndex((range) => range.epoch === at?.epoch) + 1];
      if (later === undefined) return;
      at = { epoch: later.epoch, next: 0, hash: '0'.repeat(32) };
      continue;
    }
    for (const { header, body } of frames) {
      failpoint('A6');
      tell({ t: 'sent', header, body: Buffer.from(body).toString('base64') });
      at = { epoch: header.epoch, next: header.first + header.count, hash: header.hash };
    }
    failpoint('A7');
  }
}

let written = 0;
let mayEnd: 'now' | 'drained' | null = null;
function write(): void {
  for (let i = 0; i < 97 && written < total; i += 1, written += 1) {
    const message = `${values.run}:${written}:${BODIES[written % BODIES.length]}`;
    spool.append({ tsMs: written, level: 'info', source: 'file', message });
    if (epochEvery > 0 && written % epochEvery === epochEvery - 1) spool.newEpoch('asked');
  }
  // Commits of a known size, so that every point is passed often enough.
  spool.flush();
  if (at !== null) send();
  if (written < total) setImmediate(write);
  else if (mayEnd !== null && (mayEnd === 'now' || spool.waiting().lines === 0)) end();
  else setTimeout(write, 5);
}

function end(): void {
  tell({ t: 'end', run: values.run });
  spool.close();
  process.exit(0);
}

createInterface({ input: process.stdin }).on('line', (text) => {
  const message = JSON.parse(text);
  if (message.t === 'resume') {
    const known: EpochCursor[] = message.cursors;
    const first = spool.epochs().map(({ epoch }) => known.find((cursor) => cursor.epoch === epoch));
    for (const cursor of first) if (cursor !== undefined) tell({ t: 'ack-result', is: ack(cursor) });
    const oldest = spool.epochs()[0]!;
    at = known.find(({ epoch }) => epoch === oldest.epoch) ?? { epoch: oldest.epoch, next: 0, hash: '0'.repeat(32) };
  } else if (message.t === 'ack') tell({ t: 'ack-result', is: ack(message) });
  else if (message.t === 'may-end') mayEnd = message.when;
});
const ack = (cursor: EpochCursor) => spool.acked(cursor.epoch, cursor.next, cursor.hash);

tell({ t: 'hello', epochs: spool.epochs() });
write();
