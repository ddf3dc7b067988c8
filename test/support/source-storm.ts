// A program for the kill tests of sources: follows the logs of a folder into a real spool, dies where it is told to, or
// ends once the spool holds so many lines and says them. Arguments: folder, spool file, failpoint or -, count. With `noted` it
// dies when the first transaction behind the first look stands.
import winston from 'winston';
import { noFailpoint, parseFailpoint } from '../../logging/failpoint.ts';
import { createSpool } from '../../logging/spool/spool.ts';
import { createSources } from '../../node-agent/sources/sources.ts';
import { FOLLOW_DEFAULTS } from '../../node-agent/sources/tail/follow-config.ts';

const [folder = '', path = '', fail = '-', count = '0'] = process.argv.slice(2);
const spool = createSpool(
  { path, capBytes: 2 ** 28, now: Date.now, batchMaxLines: 50 },
  { failpoint: fail === '-' || fail === 'noted' ? noFailpoint : parseFailpoint(fail) },
);
let emitted = 0;
const rule = { path: `${folder}/*.log`, exclude: [], unit: '{name}', startWaitMs: 50, fields: {}, links: false };
const sources = createSources(
  {
    ...FOLLOW_DEFAULTS,
    ...{
      lookEveryMs: 20,
      graceMs: 20,
      linesPerSecond: 1_000_000,
      qemuLogDir: `${folder}/none`,
      libvirtLogs: '/none/*',
    },
    ...{ limitFiles: 20, openFiles: 4, console: null, journal: null, rules: [rule] },
  },
  {
    // Commits of a known size, so that every point is passed often enough.
    emit(line, place) {
      spool.append(line, place);
      emitted += 1;
      if (emitted % 37 === 0) spool.flush();
    },
    places: spool.places,
    unwrittenBytes: spool.unwrittenBytes,
    log: winston.createLogger({ silent: true }),
    now: Date.now,
    idOf: () => undefined,
    consoles: {
      ...{ instances: () => [], listed: () => true, on: () => () => undefined, logFile: async () => undefined },
      ...{ onTurn: () => () => undefined, runs: async () => null },
    },
  },
);

async function end(): Promise<void> {
  await sources.stop();
  spool.flush();
  const { epoch } = spool.epochs().at(-1)!;
  const said: string[] = [];
  let from = 0;
  for (let frames = spool.read({ epoch, from }, 1e9); frames.length > 0; frames = spool.read({ epoch, from }, 1e9)) {
    for (const { header, body } of frames) {
      from = header.first + header.count;
      if (header.gap === undefined)
        said.push(...(JSON.parse(Buffer.from(body).toString()) as { message: string[] }).message);
    }
  }
  spool.close();
  process.stdout.write(JSON.stringify(said), () => process.exit(0));
}

// Whoever waits for lines that do not come ends it, and sees those that came.
process.once('SIGTERM', () => void end());
await sources.start();
if (fail === 'noted') {
  spool.flush();
  process.kill(process.pid, 'SIGKILL');
}
const looks = setInterval(() => {
  if (fail !== '-' || spool.waiting().lines < Number(count)) return;
  clearInterval(looks);
  void end();
}, 10);
