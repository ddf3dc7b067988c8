import type { Level, Source } from '../../common/model/line.ts';
import { ColumnBuilder, type LineColumns } from '../../common/wire/frames.ts';

export const KIND_HOSTS = 20;
/** Words that stand in one line each. */
export const NEEDLE = 'quuxneedle';
export const RECENT_NEEDLE = 'freshneedle';

const SOURCES: Source[] = ['qemu', 'libvirt', 'journal', 'journal', 'journal', 'external'];

let state = 0x2545f491;
/** A number below `limit`, the same ones in each run. */
function random(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

function hex(digits: number): string {
  let text = '';
  while (text.length < digits) text += random(0x1000000).toString(16).padStart(6, '0');
  return text.slice(0, digits);
}

function textOf(kind: number, number: number): string {
  switch (kind) {
    case 0:
      return `qemu monitor event BLOCK_JOB_READY for device drive-virtio-disk0 offset ${random(100_000) * 65_536}`;
    case 1:
      return `internal error: End of file from qemu monitor (vm='guest-${random(200)}') after ${random(9_000)} ms`;
    case 2:
      return `Started session ${number} of user root from 10.0.${random(256)}.${random(256)}`;
    case 3:
      return `audit: type=1400 apparmor="STATUS" operation="profile_load" pid=${1_000 + random(30_000)} comm="virt-aa-helper"`;
    case 4:
      return `virtio_net virtio0 ens3: renamed from eth0 after ${random(977) / 10} s`;
    default:
      return `GET /api/v1/instances/${random(5_000)} 200 ${random(900)} ms request ${hex(12)}`;
  }
}

function levelOf(): Level {
  const at = random(100);
  return at < 2 ? 'error' : at < 8 ? 'warn' : at < 80 ? 'info' : 'debug';
}

/** Lines of one host, one every `stepMs`, and the same as JSON, one a line. `mark` gives a message of its own. */
export function sixKinds(
  {
    host,
    first,
    count,
    fromMs,
    stepMs,
  }: { host: number; first: number; count: number; fromMs: number; stepMs: number },
  mark: (i: number) => string | null,
): { columns: LineColumns; json: string } {
  const builder = new ColumnBuilder();
  const rows: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const kind = random(6);
    const tsMs = Math.floor(fromMs + i * stepMs);
    const message = mark(i) ?? textOf(kind, first + i);
    const line = { tsMs, level: levelOf(), source: SOURCES[kind]!, unit: `unit-${kind}.service`, message };
    builder.add(line);
    rows.push(
      `{"tsMs":${tsMs},"level":"${line.level}","host":"host-${host}","source":"${line.source}","unit":"${line.unit}","message":${JSON.stringify(message)}}`,
    );
  }
  return { columns: builder.take(), json: `${rows.join('\n')}\n` };
}
