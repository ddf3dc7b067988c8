import { randomUUID } from 'node:crypto';
import { WebvirtError } from '../../../common/errors.ts';
import type { Scan, ScanKind } from '../../../common/model/discovery.ts';
import { type Cidr, printCidr } from '../../../common/pure/ip/cidr.ts';
import { mustLieInside, mustScanRange } from '../../../common/pure/ip/scan-range.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { scanAnswer, scanBody, scanListAnswer, scanParams, scanStartedAnswer } from './schema.ts';

export interface ScanDeps {
  scans: { list(limit: number): Scan[]; get(id: string): Scan | null; put(scan: Scan): void };
  crawler: {
    ranges(): string[] | null;
    run(request: { scanId: string; kind: ScanKind; range: string; actor: string }): boolean;
  };
  /** Told after a scan was put on record. */
  onScan(id: string): void;
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

const LISTED = 200;
const CROSS_CHECKED = 1_000;

/** Scans: the planned ones with their last result, and those somebody asked for. */
export function scanRoutes({ scans, crawler, onScan, audit }: ScanDeps): Route[] {
  /** The ranges as the crawler has them: it refuses again by itself whatever is outside. */
  function configured(): Cidr[] {
    const ranges = crawler.ranges();
    if (ranges === null)
      throw new WebvirtError(
        'not-ready',
        'The crawler is not connected. Start it, or wait some seconds and try again.',
      );
    if (ranges.length === 0)
      throw new WebvirtError(
        'bad-range',
        'No range is configured. Write the networks of your hosts into "ranges" of the crawler and start it again.',
      );
    return ranges.map((range) => mustScanRange(range, { allowLoopback: true }));
  }
  function rangesOf(asked: string | undefined): Cidr[] {
    const known = configured();
    if (asked === undefined || asked === '') return known;
    const range = mustScanRange(asked, { allowLoopback: true });
    mustLieInside(range, known);
    return [range];
  }
  function mustBeIdle(range: string, kind: ScanKind): void {
    const running = scans
      .list(CROSS_CHECKED)
      .some((one) => one.range === range && one.kind === kind && one.actor !== 'schedule' && isOpen(one));
    if (running) throw new WebvirtError('scan-running', undefined, { range });
  }
  function start(range: string, kind: ScanKind, actor: string): Scan {
    const scan: Scan = {
      ...{ id: randomUUID(), kind, range, state: 'queued', actor, startedMs: null, endedMs: null },
      ...{ addresses: 0, scanned: 0, up: 0, agents: 0, error: null },
    };
    if (!crawler.run({ scanId: scan.id, kind, range, actor }))
      throw new WebvirtError('not-ready', 'The crawler is not connected.');
    scans.put(scan);
    return scan;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/scans',
      summary: 'List scans',
      purpose:
        'Lists scans, newest first: each planned one with its last result, and those that were asked for. Numbers grow while ' +
        'a scan runs.',
      access: 'admin',
      answer: scanListAnswer,
      live: { on: ['scan'] },
      handle: () => scans.list(LISTED),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/scans/:id',
      summary: 'Read a scan',
      purpose: 'Reads one scan with its progress.',
      access: 'admin',
      params: scanParams,
      answer: scanAnswer,
      live: { on: ['scan'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle({ params }) {
        const scan = scans.get(params.id);
        if (scan === null) throw new WebvirtError('not-found', 'There is no such scan; only the newest are kept.');
        return scan;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/scans',
      summary: 'Start a scan',
      purpose:
        'Looks for agents now. Only ranges of the configuration of the crawler, or parts of them, are scanned; what is found ' +
        'appears in the candidates while the scan runs.',
      access: 'admin',
      body: scanBody,
      answer: scanStartedAnswer,
      status: 202,
      example: { range: '10.77.0.0/24' },
      errors: ['bad-range', 'scan-running', 'not-ready'],
      handle({ body, principal, peer }) {
        const ranges = rangesOf(body.range).map(printCidr);
        for (const range of ranges) mustBeIdle(range, body.kind);
        const started = ranges.map((range) => start(range, body.kind, principal!.name));
        for (const scan of started) onScan(scan.id);
        audit('info', 'scan asked for', {
          ...{ email: principal!.name, kind: body.kind, ranges, address: peer.address },
        });
        return { scan: started[0], scans: started };
      },
    }),
  ];
}

function isOpen(scan: Scan): boolean {
  return scan.state === 'queued' || scan.state === 'running';
}
