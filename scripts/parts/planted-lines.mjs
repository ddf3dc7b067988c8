// Bugs of the spool, the intake and the store: see scripts/planted-bugs.mjs.

/** Each: what is wrong, where, the right text, the wrong one, and who must see it. */
export const PLANTED_LINES = [
  {
    name: 'the spool does not wait for the disk',
    file: 'logging/spool/database.ts',
    right: "db.pragma('synchronous = FULL');\n    db.pragma('journal_size_limit",
    wrong: "db.pragma('synchronous = OFF');\n    db.pragma('journal_size_limit",
    tests: ['test/flow/logstorm-power.test.ts'],
  },
  {
    name: 'lines are told to a viewer whose socket takes no more',
    file: 'manager/live/tail.ts',
    right: 'if (!(outbox.idle || (isMuch() && outbox.open))) return;',
    wrong: '',
    tests: ['manager/live/slow-viewer.test.ts'],
  },
  {
    name: 'blocks of sealed lines are not compared with their checksums',
    file: 'manager/store/duckdb/segment-guard.ts',
    right: 'bytes.length === to - from && crc32(bytes) === sums[group]',
    wrong: 'bytes.length === to - from && crc32(bytes) >= 0',
    tests: ['manager/store/duckdb/damage.test.ts'],
  },
  {
    name: 'of two managers on one Cassandra both give the same arrival numbers',
    file: 'manager/store/cassandra/layout.ts',
    right: 'NUMBERS_PER_ROUND + lane * NUMBERS_PER_SLICE;',
    wrong: 'NUMBERS_PER_ROUND + (lane - lane) * NUMBERS_PER_SLICE;',
    tests: ['manager/store/cassandra/shared.test.ts'],
  },
  {
    name: 'one place for the lines of all managers',
    file: 'manager/store/cassandra/since.ts',
    right: 'places.get(laneOf(ordinal)) ?? floor ?? newestGiven',
    wrong: 'newestGiven',
    tests: ['manager/store/cassandra/shared.test.ts'],
  },
  {
    name: 'rules see a line again that another manager tells late',
    file: 'manager/alerts/looks.ts',
    right: '(isCounted && hasSeen(watch, batch.ordinal + i, shared))',
    wrong: '(!deps.isOfPeers(batch) && hasSeen(watch, batch.ordinal + i, shared))',
    tests: ['manager/manager/rules-of-several.test.ts'],
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
];
