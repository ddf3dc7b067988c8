import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { Finding, Scan, ScanKind } from '../../common/model/discovery.ts';
import type { LineColumns } from '../../common/wire/frames.ts';
import { valueAt } from '../../common/wire/frames.ts';
import type { FrameHeader } from '../../common/wire/link.ts';

export interface HeardLine {
  level: string;
  source: string;
  message: string;
  fields: Record<string, unknown>;
}

/** The manager as the crawler sees it: one socket, everything written down, everything awaitable. */
export async function fakeManager(token: string) {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'] });
  const heard = new EventEmitter();
  const findings: (Finding & { scanId: string })[] = [];
  const scans: Scan[] = [];
  const lines: HeardLine[] = [];
  const vanished: { address: string; port: number }[] = [];
  let socket: Socket | null = null;
  let refuseLines = false;

  io.use((one, next) => next(one.handshake.auth['token'] === token ? undefined : new Error('bad-token')));
  io.on('connection', (one) => {
    socket = one;
    one.on('crawler:ready', (_body, ack) => {
      ack({ err: null, data: { cursors: [], newEpoch: null } });
      heard.emit('ready');
    });
    one.on('crawler:findings', ({ scanId, list }: { scanId: string; list: Finding[] }) => {
      for (const finding of list) findings.push({ ...finding, scanId });
      heard.emit('heard');
    });
    one.on('crawler:scan', (scan: Scan) => {
      scans.push(scan);
      heard.emit('heard');
    });
    one.on('crawler:vanished', ({ list }: { list: { address: string; port: number }[] }) => {
      vanished.push(...list);
      heard.emit('heard');
    });
    one.on('crawler:lines', ({ header, body }: { header: FrameHeader; body: Uint8Array }, ack) => {
      if (refuseLines) return ack({ err: 'store-unavailable', message: 'no', data: null });
      const columns = JSON.parse(Buffer.from(body).toString()) as LineColumns;
      for (let i = 0; i < columns.n; i += 1)
        lines.push({
          level: valueAt(columns.level, i)!,
          source: valueAt(columns.source, i)!,
          message: columns.message[i]!,
          fields: JSON.parse(columns.fields?.[i] ?? '{}') as Record<string, unknown>,
        });
      ack({ err: null, data: { next: header.first + header.count } });
      heard.emit('heard');
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    findings,
    scans,
    lines,
    vanished,
    set refuseLines(value: boolean) {
      refuseLines = value;
    },
    ready: () => once(heard, 'ready'),
    /** Resolves with the first of a list that fits, now or later. */
    async until<T>(list: T[], fits: (one: T) => boolean): Promise<T> {
      for (;;) {
        const found = list.find(fits);
        if (found !== undefined) return found;
        await once(heard, 'heard');
      }
    },
    run: (scanId: string, range: string, kind: ScanKind = 'whole') =>
      socket!.emit('crawler:run', { scanId, kind, range, actor: 'admin@localhost' }),
    known: (list: { address: string; port: number; id: string }[]) => socket!.emit('crawler:known', { list }),
    cut: () => socket!.disconnect(true),
    async stop() {
      await io.close();
    },
  };
}
