import { spawn } from 'node:child_process';
import { WebvirtError } from '../../common/errors.ts';
import { containsAddress, printCidr } from '../../common/pure/ip/cidr.ts';
import { createHostsXml, type HostRecord } from './hosts-xml.ts';
import type { Piece } from './pieces.ts';
import { handsOnRawSockets } from './raw-sockets.ts';

export interface NmapRun {
  /** Name or path of the program. */
  program: string;
  port: number;
  /** Probes a second: floor and cap at once. */
  rate: number;
  piece: Piece;
  /** The program is killed after this time. */
  limitMs: number;
  signal: AbortSignal;
  onHost(host: HostRecord): void;
}

const XML_CHARS_PER_ADDRESS = 1_024;
const XML_CHARS_BASE = 64 * 1_024;
const STDERR_KEPT = 512;

/**
 * The arguments of one call. Every one that names a target is printed by us from numbers, and `--` stands before the
 * first: nmap reads files for `-iL` and writes them for `-oN`.
 */
export function nmapArguments(port: number, rate: number, piece: Piece): string[] {
  const flags = ['-n', '-sn', `-PS${port}`, '--max-retries', '1', '--max-rtt-timeout', '100ms'];
  const speed = ['--min-rate', String(rate), '--max-rate', String(rate)];
  return [...flags, ...speed, '-oX', '-', '--', ...piece.blocks.map(printCidr)];
}

/**
 * Probes one piece. Resolves when nmap is through; hosts are told as they come. Throws `missing-program` when it is not
 * installed, `timeout` when it took too long, the signal's reason when it was called off, and `internal` else.
 */
export async function runNmap(run: NmapRun): Promise<void> {
  run.signal.throwIfAborted();
  const timeLimit = AbortSignal.timeout(run.limitMs);
  const child = spawn(run.program, nmapArguments(run.port, run.rate, run.piece), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Nothing of our environment: NMAPDIR would name files to load.
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C',
      ...(handsOnRawSockets() ? { NMAP_PRIVILEGED: '1' } : {}),
    },
    signal: AbortSignal.any([run.signal, timeLimit]),
    killSignal: 'SIGKILL',
  });

  let fault: Error | null = null;
  let words = '';
  const stop = (error: unknown) => {
    fault ??= error instanceof Error ? error : new Error(String(error));
    child.kill('SIGKILL');
  };
  const xml = createHostsXml(XML_CHARS_BASE + run.piece.addresses * XML_CHARS_PER_ADDRESS, (host) => {
    if (run.piece.blocks.some((block) => containsAddress(block, host.address))) run.onHost(host);
  });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (fault !== null) return;
    try {
      xml.write(chunk);
    } catch (error) {
      stop(error);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    if (words.length < STDERR_KEPT) words = (words + chunk).slice(0, STDERR_KEPT);
  });

  const ended = await new Promise<{ code: number | null; error?: NodeJS.ErrnoException }>((resolve) => {
    child.once('error', (error) => {
      // Without a process there is no `close`; with one (abort) it follows, and only then is everything read.
      if (child.pid === undefined) resolve({ code: null, error });
    });
    child.once('close', (code) => resolve({ code }));
  });
  if (ended.error?.code === 'ENOENT' || ended.error?.code === 'EACCES')
    throw new WebvirtError(
      'missing-program',
      `The crawler needs nmap, and ${run.program} could not be started. Install it: apt-get install nmap`,
      { program: run.program },
      { cause: ended.error },
    );
  if (ended.error !== undefined) throw ended.error;
  if (timeLimit.aborted) throw new WebvirtError('timeout', `nmap was not through after ${run.limitMs} ms.`);
  run.signal.throwIfAborted();
  if (fault !== null) throw fault;
  if (ended.code !== 0)
    throw new WebvirtError('internal', `nmap ended with ${ended.code}`, { exitCode: ended.code, stderr: words });
}
