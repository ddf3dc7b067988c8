import { performance } from 'node:perf_hooks';
import type { Level, NewLine, Source } from '../../common/model/line.ts';
import { ColumnBuilder, type LineColumns } from '../../common/wire/frames.ts';
import type { AgentIdentity } from '../../test/support/agent-identity.ts';
import { startFakeAgent } from '../../test/support/fake-agent.ts';

const LINES_PER_FRAME = 2_000;
const LEVELS: Level[] = ['info', 'info', 'info', 'info', 'info', 'info', 'debug', 'debug', 'warn', 'error'];
const SOURCES: Source[] = ['libvirt', 'qemu', 'qemu', 'journal', 'journal', 'agent'];
const TEXTS = [
  (i: number) => `qemu monitor event BLOCK_JOB_READY for device drive-virtio-disk0 offset ${i * 65_536}`,
  (i: number) => `Started session ${i} of user root`,
  (i: number) => `internal error: End of file from qemu monitor (vm='guest-${i % 200}')`,
  (i: number) =>
    `audit: type=1400 apparmor="STATUS" operation="profile_load" pid=${1_000 + (i % 30_000)} comm="virt-aa-helper"`,
  (i: number) => `virtio_net virtio0 ens3: renamed from eth0 after ${(i % 977) / 10} s`,
];

/** Mixed lines as hosts write them: some with an instance, some with fields. Also used by the raw appender beside it. */
export function mixedColumns(from: number, count: number): LineColumns {
  const builder = new ColumnBuilder();
  for (let i = from; i < from + count; i += 1) {
    const line: NewLine = {
      tsMs: Date.now(),
      level: LEVELS[i % LEVELS.length]!,
      source: SOURCES[i % SOURCES.length]!,
      message: TEXTS[i % TEXTS.length]!(i),
      unit: `unit-${i % 12}.service`,
    };
    if (i % 3 === 0) line.instance = `00000000-0000-4000-8000-${String(i % 40).padStart(12, '0')}`;
    if (i % 4 === 0) line.fields = { pid: i % 30_000, code: i % 7 };
    builder.add(line);
  }
  return builder.take();
}

/** Bodies of frames that are made once: making them anew would take the processor that is measured. */
const BODIES = 300;
/** Frames that wait at the agent: it always has something to send. */
const WAITING_FRAMES = 60;

/** One agent in a process of its own: says its port, sends for so long as fast as it is acked, and reports the lines. */
async function main(): Promise<void> {
  const { identity, seconds } = JSON.parse(process.argv[2] ?? '{}') as { identity: AgentIdentity; seconds: number };
  const agent = await startFakeAgent({ identity, name: 'bench', messageBytes: 1024 ** 2 });
  const bodies = Array.from({ length: BODIES }, (_, i) =>
    Buffer.from(JSON.stringify(mixedColumns(i * LINES_PER_FRAME, LINES_PER_FRAME))),
  );
  process.send?.({ port: agent.port });
  await agent.until((message) => message.t === 'resume');
  const started = performance.now();
  let sent = 0;
  while (performance.now() - started < seconds * 1_000) {
    while (agent.spool.frames.length < WAITING_FRAMES) {
      agent.spool.addBody(bodies[sent % BODIES]!, LINES_PER_FRAME);
      sent += 1;
    }
    agent.pump();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await agent.acked();
  process.send?.({ seconds: (performance.now() - started) / 1_000, lines: sent * LINES_PER_FRAME });
  await agent.stop();
  process.disconnect();
}

if (process.argv[2] !== undefined && process.send !== undefined) await main();
