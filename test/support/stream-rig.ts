import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewLine } from '../../common/model/line.ts';
import { createStream } from '../../node-agent/sources/tail/stream.ts';
import type { StreamSpec } from '../../node-agent/sources/tail/stream-spec.ts';
import { sourceRig } from './source-rig.ts';

/** One followed file in a folder of its own, turned by hand, with a clock that goes on only between rounds. */
export function streamRig() {
  const folder = mkdtempSync(join(tmpdir(), 'webvirt-stream-'));
  const rig = sourceRig();
  const file = (name = 'a.log') => join(folder, name);
  let clockMs = 0;
  let stream: ReturnType<typeof createStream> | null = null;

  function open(more: Partial<StreamSpec> = {}): void {
    const line = (message: string): NewLine => ({ tsMs: 1, level: 'info', source: 'file', message });
    const spec: StreamSpec = {
      ...{ name: 'file:a', path: file(), lineCapBytes: 1_000, firstBytes: Number.POSITIVE_INFINITY },
      ...{
        rewrites: false,
        group: null,
        linesPerSecond: 1e9,
        behindBytes: 1e9,
        followLink: false,
        partialAfterMs: null,
      },
      line,
      about: () => ({ source: 'file' }),
      ...more,
    };
    stream = createStream(spec, { ...rig, clock: () => clockMs, graceMs: 100 });
  }

  return {
    ...{ rig, folder, file, open },
    stream: () => stream!,
    texts: () => rig.texts(),
    gaps: () => rig.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields),
    /** Turns while there is more at once, without the clock going on. */
    async readNow(): Promise<void> {
      while ((await stream!.turn()) === 'more');
    },
    /** Turns until there is nothing at once; then the clock goes on, as often as asked. */
    async read(rounds = 1): Promise<void> {
      for (let round = 0; round < rounds; round += 1) {
        while ((await stream!.turn()) === 'more');
        clockMs += 200;
      }
    },
    /** The process is killed and another one begins, from what is durable. */
    async restart(more: Partial<StreamSpec> = {}): Promise<void> {
      await stream?.close();
      open(more);
    },
    async end(): Promise<void> {
      await stream?.close();
      rmSync(folder, { recursive: true });
    },
  };
}
export type StreamRig = ReturnType<typeof streamRig>;
