// npm run planted-bugs [-- name]: plants each bug that would lose or double lines, one at a time and in a copy of the
// tree, and runs the tests that must see it. A bug that no test sees is a hole in the suite: the run then ends with 1.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from './parts/root.mjs';

const LIMIT_MS = 180_000;
const LEFT_OUT = /^[/\\](node_modules|\.cache|\.git|dist|data|docs-site[/\\]_site)([/\\]|$)/;

/** Each: what is wrong, where, the right text, the wrong one, and who must see it. */
const BUGS = [
  {
    name: 'blocks of sealed lines are not compared with their checksums',
    file: 'manager/store/duckdb/segment-guard.ts',
    right: 'bytes.length === to - from && crc32(bytes) === sums[group]',
    wrong: 'bytes.length === to - from && crc32(bytes) >= 0',
    tests: ['manager/store/duckdb/damage.test.ts'],
  },
  {
    name: 'ack before COMMIT',
    file: 'manager/intake/committer.ts',
    right: '        committed = await lines.append(batches);',
    wrong:
      '        for (const waiting of group) waiting.resolve();\n        await new Promise((resolve) => setTimeout(resolve, 5));\n        committed = await lines.append(batches);',
    tests: ['manager/intake/kill.test.ts'],
  },
  {
    name: 'rows removed before the cursor is saved',
    file: 'logging/spool/store.ts',
    right: "    if (acks.length > 0) failpoint('A8');",
    wrong:
      "    for (const { no, saved, acked: ahead } of acks) open.table.remove(no * SPAN + saved.next, no * SPAN + ahead.next);\n    if (acks.length > 0) failpoint('A8');",
    tests: ['logging/spool/kill.test.ts', 'logging/spool/keep.test.ts'],
  },
  {
    name: 'cursor before ack: what is sent counts as stored',
    file: 'node-agent/serve/line-sender.ts',
    right: "    failpoint('A7');",
    wrong:
      "    for (const { header } of frames) spool.acked(header.epoch, header.first + header.count, header.hash);\n    failpoint('A7');",
    tests: ['node-agent/serve/link.test.ts', 'test/flow/logstorm.test.ts'],
  },
  {
    name: 'no hash check in the spool',
    file: 'logging/spool/verify.ts',
    right: '  if (!(row.body instanceof Uint8Array) || runningHash(row.prev, row.body) !== row.hash) return false;',
    wrong: '  if (!(row.body instanceof Uint8Array)) return false;',
    tests: ['logging/spool/damage.test.ts'],
  },
  {
    name: 'no hash check at the manager',
    file: 'manager/intake/plan-frames.ts',
    right: 'if (runningHash(header.prev, body) !== header.hash)',
    wrong: 'if (header.hash === "")',
    tests: ['manager/intake/intake.test.ts'],
  },
  {
    name: 'epoch used again',
    file: 'logging/spool/store.ts',
    right: "const at = { epoch: randomBytes(8).toString('hex'), next: 0, hash: EMPTY_HASH };",
    wrong: "const at = { epoch: randomBytes(8).toString('hex').replace(/./g, '0'), next: 0, hash: EMPTY_HASH };",
    tests: ['logging/spool/spool.test.ts', 'logging/spool/kill.test.ts'],
  },
  {
    name: 'other lines replace what is stored (INSERT OR REPLACE)',
    file: 'manager/intake/plan-frames.ts',
    right: '  if (header.first === end.next && header.prev !== end.hash) return fork(frame, end, plan, context);',
    wrong: '',
    tests: ['manager/intake/intake.test.ts'],
  },
  {
    name: 'a replay is stored again',
    file: 'manager/intake/plan-frames.ts',
    right: '  if (behind <= end.next) {',
    wrong: '  if (behind < 0) {',
    tests: ['manager/intake/schedules.test.ts', 'manager/intake/intake.test.ts'],
  },
  {
    name: 'numbers from the clock',
    file: 'logging/spool/frame.ts',
    right: 'next: header.first + header.count, hash: header.hash };',
    wrong: 'next: Math.max(header.first + header.count, Date.now() % 1e9), hash: header.hash };',
    tests: ['logging/spool/spool.test.ts'],
  },
  {
    name: 'a full spool drops without a gap',
    file: 'logging/spool/trim.ts',
    right: '  table.insert(rowOfGap(no, mergeGaps(parts), first.prev, last.hash));',
    wrong: '  void [rowOfGap, mergeGaps, parts, no];',
    tests: ['logging/spool/spool.test.ts'],
  },
  {
    name: 'a queue of a viewer without a cap',
    file: 'manager/live/tail-queue.ts',
    right: 'while (entries.length - head > caps.lines || (bytes > caps.bytes && entries.length - head > 1)) {',
    wrong: 'while (entries.length - head > 1e9) {',
    tests: ['manager/live/tail-queue.test.ts', 'manager/live/slow-viewer.test.ts'],
  },
  {
    name: 'told as spooled before it is written, as a stream to a file does',
    file: 'logging/spool/spool.ts',
    right: '    const started = performance.now();\n    try {',
    wrong:
      '    const started = performance.now();\n    const early = pending.frames();\n    if (early.length > 0) for (const handler of [...handlers]) handler(early);\n    try {',
    tests: ['logging/spool/kill.test.ts', 'logging/spool/spool.test.ts'],
  },
  {
    name: 'a gap is filled twice',
    file: 'manager/store/duckdb/fills.ts',
    right: '.flatMap((span) => without(span, filled))',
    wrong: '.flatMap((span) => without(span, filled.slice(0, 0)))',
    tests: ['manager/store/duckdb/fills.test.ts', 'manager/intake/fill.test.ts'],
  },
  {
    name: 'lines ordered by the clock of their agent alone',
    file: 'manager/intake/plan-frames.ts',
    right: '...(clockOffsetMs === 0 ? {} : { clockOffsetMs }),',
    wrong: '...(clockOffsetMs === 0 ? {} : {}),',
    tests: ['manager/intake/clocks.test.ts'],
  },
  {
    name: 'a large message on a slow road is taken for silence',
    file: 'manager/links/session.ts',
    right: 'wire.bytesRead - heardBytes >= ALIVE_BYTES',
    wrong: 'wire.bytesRead - heardBytes >= 1e15',
    tests: ['manager/links/partition.test.ts'],
  },
  {
    name: 'a half-open link keeps its place',
    file: 'node-agent/serve/link.ts',
    right: 'before !== null && (await before.session.answers(probeMs))',
    wrong: 'before !== null',
    tests: ['manager/links/partition.test.ts'],
  },
  {
    name: 'a link that was replaced is still obeyed',
    file: 'node-agent/serve/link.ts',
    right: "before.session.end('replaced: it does not answer');",
    wrong: '{ /* lives on */ }',
    tests: ['manager/links/partition.test.ts'],
  },
  {
    name: 'agents that were refused come again in step',
    file: 'node-agent/serve/line-sender.ts',
    right: 'pauseMs * (1 + random() / 2),',
    wrong: 'pauseMs * (1 + Math.min(0, random())),',
    tests: ['node-agent/serve/line-sender.test.ts'],
  },
  {
    name: 'an agent that was refused comes again as soon, however often it is refused',
    file: 'node-agent/serve/line-sender.ts',
    right: 'leastMs * 2 ** Math.min(refusals, 10)',
    wrong: 'leastMs',
    tests: ['node-agent/serve/line-sender.test.ts'],
  },
  {
    name: 'what waits for a slow store has no bound',
    file: 'manager/intake/committer.ts',
    right: 'return queuedBytes === 0 || queuedBytes + bytes <= limit;',
    wrong: 'return limit > 0;',
    tests: ['manager/intake/slow-store.test.ts'],
  },
  {
    name: 'who floods goes first because it came first',
    file: 'manager/intake/committer.ts',
    right: 'queue.push(sender, {',
    wrong: "queue.push('', {",
    tests: ['manager/intake/flood.test.ts'],
  },
  {
    name: 'a flooding agent takes all the room',
    file: 'manager/intake/committer.ts',
    right: 'const KEPT_FOR_OTHERS = 1 / 8;',
    wrong: 'const KEPT_FOR_OTHERS = 0;',
    tests: ['manager/intake/flood.test.ts'],
  },
  {
    name: 'a pattern that looks for a run at the end of a message',
    file: 'node-agent/sources/journal/entry.ts',
    right: "trimEndOf(text, '\\n')",
    wrong: "text.replace(/\\n+$/, '')",
    tests: ['common/pure/own-patterns.test.ts'],
  },
  {
    name: 'what a flooding log loses is not counted to the line',
    file: 'node-agent/sources/tail/stream.ts',
    right: 'dropped: lines, droppedBytes',
    wrong: 'dropped: lines - 1, droppedBytes',
    tests: ['node-agent/sources/tail/endless.test.ts'],
  },
  {
    name: 'a step of a schema in two transactions',
    file: 'manager/store/sqlite/migrations.ts',
    right: "    db.exec(migration.sql);\n    failpoint('M7');",
    wrong: "    db.exec(migration.sql);\n    db.exec('COMMIT; BEGIN');\n    failpoint('M7');",
    tests: ['manager/store/sqlite/kill.test.ts'],
  },
  {
    name: 'retention takes a file out before what stays of it is in',
    file: 'manager/store/duckdb/retain.ts',
    right: '      if (next !== null) await insertSegment(connection, next);\n',
    wrong:
      "      await connection.run('COMMIT');\n      failpoint('M8');\n      await connection.run('BEGIN');\n      if (next !== null) await insertSegment(connection, next);\n",
    tests: ['manager/store/duckdb/kill.test.ts'],
  },
  {
    name: 'what a crash left half written counts once the node is back',
    file: 'manager/store/cassandra/recover.ts',
    right: '        await makeVoid(session, voids, mark, agent, epoch, ttl);\n',
    wrong: '        void [makeVoid, ttl];\n',
    tests: ['manager/store/cassandra/cassandra.test.ts'],
  },
  {
    name: 'a disk that fails to read counts as damage',
    file: 'logging/spool/recover.ts',
    right: '    if (damage === undefined || isWhole(options.path))\n',
    wrong: '    if (damage === undefined)\n',
    tests: ['logging/spool/failing-io.test.ts'],
  },
  {
    name: 'a disk that the spool itself has filled ends it',
    file: 'logging/spool/spool.ts',
    right: '      if (reserve.release()) store.stopGrowing(reserve.floorBytes);\n',
    wrong: '      if (reserve.release()) void store.stopGrowing;\n',
    tests: ['logging/spool/full-disk.test.ts'],
  },
  {
    name: 'a gap of a full spool is a line too short',
    file: 'logging/spool/frame.ts',
    right: '    to: last.to,\n',
    wrong: '    to: last.to - (parts.length > 1 ? 1 : 0),\n',
    tests: ['test/flow/logstorm-outage.test.ts', 'logging/spool/spool.test.ts'],
  },
  {
    name: 'the log of the state outgrows its reserve',
    file: 'manager/store/sqlite/open.ts',
    right: 'wal_autocheckpoint = 400',
    wrong: 'wal_autocheckpoint = 4000',
    tests: ['manager/store/sqlite/full-disk.test.ts'],
  },
  {
    name: 'a spool of a newer program is read',
    file: 'logging/spool/database.ts',
    right: '    if (format > FORMAT) throw',
    wrong: '    if (format > 1e9) throw',
    tests: ['logging/spool/versions.test.ts'],
  },
];

const wanted = process.argv[2] ?? '';
const tree = mkdtempSync(join(tmpdir(), 'webvirt-planted-'));
let unseen = 0;
try {
  cpSync(inRoot(), tree, { recursive: true, filter: (path) => !LEFT_OUT.test(path.slice(inRoot().length)) });
  symlinkSync(inRoot('node_modules'), join(tree, 'node_modules'));
  for (const { name, file, right, wrong, tests } of BUGS.filter((bug) => bug.name.includes(wanted))) {
    const path = join(tree, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(right).length !== 2) {
      console.log(`CANNOT  ${name}: the place in ${file} is not there once`);
      unseen += 1;
      continue;
    }
    writeFileSync(
      path,
      text.replace(right, () => wrong),
    );
    const args = ['vitest', 'run', '--bail=1', '--reporter=dot', ...tests];
    const run = spawnSync('npx', args, { cwd: tree, timeout: LIMIT_MS, encoding: 'utf8' });
    writeFileSync(path, text);
    // A suite that hangs has not seen it: it says nothing.
    const isRed =
      run.status !== null && run.status !== 0 && /Tests .*failed/.test(run.stdout.replaceAll(/\u001b\[\d+m/g, ''));
    if (!isRed) unseen += 1;
    console.log(`${isRed ? 'RED    ' : run.status === 0 ? 'GREEN !' : 'BROKEN!'} ${name}  (${tests.join(', ')})`);
    if (!isRed && run.status !== 0) console.log(run.stdout.slice(-400), run.stderr.slice(0, 800));
  }
} finally {
  rmSync(tree, { recursive: true, force: true });
}
process.exitCode = unseen === 0 ? 0 : 1;
