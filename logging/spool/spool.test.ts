import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { columnsFault, type LineColumns } from '../../common/wire/frames.ts';
import { EMPTY_HASH } from '../../common/wire/link.ts';
import { runningHash } from './frame.ts';
import { createSpool, type Frame, type Spool, type SpoolConfig } from './spool.ts';

let folder: string;
const opened: Spool[] = [];

function open(config: Partial<SpoolConfig> = {}): Spool {
  const spool = createSpool({ path: join(folder, 'spool.sqlite'), capBytes: 64e6, now: Date.now, ...config });
  opened.push(spool);
  return spool;
}

function line(message: string, rest: Partial<NewLine> = {}): NewLine {
  return { tsMs: 1_000, level: 'info', source: 'agent', message, ...rest };
}

function fill(spool: Spool, count: number, from = 0): void {
  for (let i = from; i < from + count; i += 1) spool.append(line(`line ${i}`));
  spool.flush();
}

const columnsOf = (frame: Frame) => JSON.parse(Buffer.from(frame.body).toString()) as LineColumns;
const current = (spool: Spool) => spool.epochs().at(-1)!;

/** All frames of the current epoch, checked for holes, chain and hashes. */
function readAll(spool: Spool, from = 0, hash = EMPTY_HASH): Frame[] {
  const { epoch, next } = current(spool);
  const frames: Frame[] = [];
  let at = { from, hash };
  while (at.from < next) {
    const batch = spool.read({ epoch, ...at }, 100_000);
    expect(batch.length).toBeGreaterThan(0);
    for (const frame of batch) {
      const { header } = frame;
      expect(header).toMatchObject({ epoch, first: at.from, prev: at.hash, bytes: frame.body.byteLength });
      if (header.gap === undefined) {
        expect(runningHash(header.prev, frame.body)).toBe(header.hash);
        expect(columnsFault(columnsOf(frame))).toBeNull();
        expect(columnsOf(frame).n).toBe(header.count);
      } else expect(header.gap).toMatchObject({ from: header.first, to: header.first + header.count - 1 });
      frames.push(frame);
      at = { from: header.first + header.count, hash: header.hash };
    }
  }
  return frames;
}

const messages = (frames: Frame[]) => frames.flatMap((frame) => (frame.header.gap ? [] : columnsOf(frame).message));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-spool-'));
});
afterEach(() => {
  for (const spool of opened.splice(0)) spool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('spool', () => {
  test('lines come back in order and in their own words, also after a new start', () => {
    const spool = open({ batchMaxLines: 10 });
    const odd = ['', 'a', 'ends in \n', '\0', 'é日本😀', '\u001b[31m', 'lone \ud800', 'x'.repeat(70_000)];
    for (const message of odd) spool.append(line(message, { fields: { n: 1 }, instance: 'i' }));
    fill(spool, 95);
    const before = messages(readAll(spool));
    expect(before.slice(0, odd.length)).toEqual(odd);
    expect(before.length).toBe(odd.length + 95);
    expect(spool.waiting().lines).toBe(odd.length + 95);
    spool.close();
    const again = open();
    expect(messages(readAll(again))).toEqual(before);
    fill(again, 1, 95);
    expect(messages(readAll(again)).at(-1)).toBe('line 95');
  });

  test('an idle line is committed by itself and handed on', async () => {
    const spool = open();
    const told = new Promise<Frame[]>((resolve) => spool.onSpooled(resolve));
    spool.append(line('alone'));
    expect(messages(await told)).toEqual(['alone']);
    expect(current(spool).next).toBe(1);
  });

  test('what is acked is freed, and stays so; the numbers go on', () => {
    const spool = open({ batchMaxLines: 10 });
    fill(spool, 50);
    const third = readAll(spool)[2]!;
    const { epoch } = current(spool);
    expect(spool.acked(epoch, 30, third.header.hash)).toBe('ok');
    spool.flush();
    expect(spool.waiting().lines).toBe(20);
    expect(current(spool)).toMatchObject({ first: 30, next: 50 });
    spool.acked(epoch, 50, readAll(spool, 30, third.header.hash).at(-1)!.header.hash);
    spool.close();
    const again = open();
    expect(again.waiting()).toEqual({ lines: 0, bytes: 0 });
    expect(current(again)).toEqual({ epoch, first: 50, next: 50 });
    fill(again, 1, 50);
    expect(current(again).next).toBe(51);
  });

  test('numbers that the spool never wrote mean a fork; the lines that wait are carried into a new epoch', () => {
    const spool = open({ batchMaxLines: 10 });
    fill(spool, 40);
    const { epoch } = current(spool);
    const second = readAll(spool)[1]!.header;
    expect(spool.acked(epoch, 20, second.hash)).toBe('ok');
    expect(spool.acked(epoch, 41, second.hash)).toBe('fork');
    expect(spool.acked(epoch, 30, 'f'.repeat(32))).toBe('fork');
    expect(spool.acked(epoch, 25, second.hash)).toBe('fork');
    expect(spool.acked('0'.repeat(16), 25, second.hash)).toBe('unknown');
    expect(spool.acked(epoch, 10, second.prev)).toBe('ok');
    spool.newEpoch('restored from a snapshot', epoch);
    spool.flush();
    expect(current(spool).epoch).not.toBe(epoch);
    expect(spool.epochs().length).toBe(1);
    const lines = messages(readAll(spool));
    expect(lines.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i + 20}`));
    expect(lines.slice(20)).toEqual(['A new epoch of lines begins']);
  });

  test('a store that lacks what was freed is given a gap for it', () => {
    const spool = open({ batchMaxLines: 10 });
    fill(spool, 20);
    spool.acked(current(spool).epoch, 10, readAll(spool)[0]!.header.hash);
    spool.flush();
    expect(readAll(spool)[0]!.header.gap).toEqual({ from: 0, to: 9, reason: 'freed', bytes: 0 });
  });

  test('old epochs are kept until they are acked', () => {
    const spool = open();
    fill(spool, 3);
    const old = current(spool);
    const hash = readAll(spool)[0]!.header.hash;
    spool.newEpoch('asked');
    spool.flush();
    expect(spool.epochs().map((range) => range.next - range.first)).toEqual([3, 1]);
    spool.acked(old.epoch, 3, hash);
    spool.flush();
    expect(spool.epochs().length).toBe(1);
  });

  test('fields that cannot be said in JSON cost the fields, not the line', () => {
    const spool = open();
    spool.append(line('odd', { fields: { big: 1n } }));
    fill(spool, 1);
    expect(messages(readAll(spool))).toEqual(['odd', 'line 0']);
  });
});

describe('spool at its cap', () => {
  test('the oldest go, the newest stay, one gap tells exactly what went, over several rounds and a new start', () => {
    let spool = open({ capLines: 1_000, batchMaxLines: 10 });
    for (let round = 1; round <= 3; round += 1) {
      for (let i = 0; i < 500; i += 1) fill(spool, 10, (round - 1) * 5_000 + i * 10);
      const frames = readAll(spool);
      const gaps = frames.flatMap(({ header }) => header.gap ?? []);
      const kept = messages(frames);
      expect(gaps.length).toBe(1);
      expect(gaps[0]!.from).toBe(0);
      expect(gaps[0]!.to + 1 + kept.length).toBe(5_000 * round);
      expect(kept[0]).toBe(`line ${gaps[0]!.to + 1}`);
      expect(kept.at(-1)).toBe(`line ${5_000 * round - 1}`);
      expect(kept.length).toBeLessThanOrEqual(1_000);
      expect(kept.length).toBeGreaterThan(970);
      expect(gaps[0]).toMatchObject({ reason: 'spool-full', firstTsMs: 1_000, lastTsMs: 1_000 });
      spool.close();
      spool = open({ capLines: 1_000, batchMaxLines: 10 });
    }
  });

  test('the bytes of the gap are those that went', () => {
    const spool = open({ capBytes: 40_000, batchMaxLines: 10 });
    let written = 0;
    spool.onSpooled((frames) => {
      for (const frame of frames) written += frame.body.byteLength;
    });
    for (let i = 0; i < 200; i += 1) fill(spool, 10, i * 10);
    const frames = readAll(spool);
    const kept = frames.reduce((sum, frame) => sum + frame.body.byteLength, 0);
    expect(frames[0]!.header.gap!.bytes + kept).toBe(written);
    expect(spool.waiting().bytes).toBeLessThanOrEqual(40_000);
    expect(spool.waiting()).toEqual({ lines: messages(frames).length, bytes: kept + frames.length * 160 });
  });

  test('an ack inside a gap cuts it; a reader inside a gap gets the rest of it', () => {
    const spool = open({ capLines: 100, batchMaxLines: 10 });
    fill(spool, 50);
    const early = readAll(spool);
    for (let i = 50; i < 250; i += 10) fill(spool, 10, i);
    const { epoch } = current(spool);
    const at = { epoch, from: 30, hash: early[2]!.header.hash };
    const cut = spool.read(at, 1)[0]!.header;
    expect(cut).toMatchObject({ first: 30, prev: at.hash });
    expect(spool.acked(epoch, 20, early[1]!.header.hash)).toBe('ok');
    spool.flush();
    const frames = readAll(spool, 20, early[1]!.header.hash);
    expect(frames[0]!.header.gap).toMatchObject({ from: 20, to: cut.gap!.to });
    expect(frames[0]!.header.hash).toBe(cut.hash);
  });

  test('a full disk costs the oldest lines, declared, and never the process', () => {
    const spool = open({ maxFileBytes: 200_000, batchMaxLines: 50 });
    for (let i = 0; i < 400; i += 1) fill(spool, 50, i * 50);
    const frames = readAll(spool);
    const lost = frames.reduce((sum, { header }) => sum + (header.gap ? header.count : 0), 0);
    expect(lost).toBeGreaterThan(1_000);
    expect(lost + messages(frames).length).toBe(current(spool).next);
    expect(messages(frames)).toContain('line 19999');
  });
});

describe('places of sources', () => {
  test('are durable with the lines before them, by themselves, and forgotten', () => {
    const spool = open();
    spool.append(line('one'), { name: 'file:a', value: '3' });
    spool.append(line('two'), { name: 'file:a', value: '7' });
    spool.places.set('file:b', '1');
    spool.close();
    const again = open();
    expect(again.places.names('file:')).toEqual(['file:a', 'file:b']);
    expect(again.places.get('file:a')).toBe('7');
    again.places.set('file:b', null);
    again.close();
    expect(open().places.names('')).toEqual(['file:a']);
  });
});
