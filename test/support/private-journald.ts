import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

/** A systemd-journald in a mount namespace of its own, with a journal in memory. Needs root. */
export interface PrivateJournald {
  /** Its journal files as seen from here. */
  readonly directory: string;
  /** Writes one entry as `systemd-cat` does; `priority` as syslog names it. */
  say(identifier: string, priority: string, text: string): Promise<void>;
  /** Writes one entry with fields of its own, as programs do through the native protocol. */
  entry(fields: Record<string, string | Buffer>): Promise<void>;
  /** Has all journal files rotated, and only so many kept. */
  vacuum(keepFiles: number): Promise<void>;
  stop(): Promise<void>;
}

export const JOURNALD = '/usr/lib/systemd/systemd-journald';
const MACHINE = '0123456789abcdef0123456789abcdef';
const SCRIPT = `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
echo ${MACHINE} > /run/machine-id
mount --bind /run/machine-id /etc/machine-id
mount -t tmpfs tmpfs /var/log
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitBurst=0\\n' > /run/journald.conf
mount --bind /run/journald.conf /etc/systemd/journald.conf
exec ${JOURNALD}
`;
/** Sends one datagram of journald's native protocol; Node has no datagrams on unix sockets. */
const SEND = `
import socket, struct, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
body = b""
for name, value in zip(sys.argv[1::2], sys.argv[2::2]):
    value = bytes.fromhex(value)
    body += name.encode() + b"\\n" + struct.pack("<Q", len(value)) + value + b"\\n"
sock.sendto(body, "/run/systemd/journal/socket")
`;

export async function startPrivateJournald(): Promise<PrivateJournald> {
  const child = spawn('unshare', ['--mount', '--propagation', 'private', '--', 'sh', '-c', SCRIPT], {
    stdio: 'ignore',
  });
  const root = `/proc/${child.pid}/root`;
  const directory = join(root, 'run/log/journal');
  const ready = () =>
    existsSync(join(root, 'run/systemd/journal/stdout')) && existsSync(join(directory, MACHINE, 'system.journal'));
  for (let tries = 0; !ready(); tries += 1) {
    if (tries > 2_000 || child.exitCode !== null) throw new Error('no private journald');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const inside = (...argv: string[]) => run('nsenter', ['-t', String(child.pid), '-m', '--', ...argv]);
  return {
    directory,
    async say(identifier, priority, text) {
      await inside('systemd-cat', '-t', identifier, '-p', priority, 'printf', '%s\n', text);
    },
    async entry(fields) {
      const words = Object.entries(fields).flatMap(([name, value]) => [name, Buffer.from(value).toString('hex')]);
      await inside('python3', '-c', SEND, ...words);
    },
    async vacuum(keepFiles) {
      await inside('journalctl', '--rotate', `--vacuum-files=${keepFiles}`);
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
