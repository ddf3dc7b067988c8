import { spawn } from 'node:child_process';
import { z } from 'zod';
import { type ErrorCode, WebvirtError } from '../../common/errors.ts';
import type { BaseImage } from '../../common/model/resources.ts';

/** `qemu-img` on files that are open already: it is given the open file, never a name that could be swapped. */
export interface QemuImg {
  /** Size that a guest sees and bytes on disk. The format is given, never guessed. @throws {WebvirtError} */
  info(fd: number, format: BaseImage['format']): Promise<{ virtualBytes: number; fileBytes: number }>;
  /** Makes the open, empty file a thin clone of `base` (absolute real path). @throws {WebvirtError} */
  clone(fd: number, base: { path: string; format: BaseImage['format'] }, sizeBytes: number): Promise<void>;
  /** True when nothing was ever written into this clone. @throws {WebvirtError} */
  untouched(fd: number): Promise<boolean>;
  /** @throws {WebvirtError} in-use when a QEMU has this disk open for writing. */
  mustBeClosed(fd: number): Promise<void>;
}

const FD = '/proc/self/fd/3';
const LIMIT_MS = 30_000;
const MAX_OUTPUT_CHARS = 1024 * 1024;
const ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/' };

const infoSchema = z.object({
  format: z.string(),
  'virtual-size': z.number().nonnegative(),
  'actual-size': z.number().nonnegative(),
  encrypted: z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'format-specific': z.object({ data: z.object({ 'data-file': z.string().optional() }).optional() }).optional(),
});
const mapSchema = z.array(z.object({ depth: z.number(), data: z.boolean() }));

export function createQemuImg(program: string): QemuImg {
  return {
    async info(fd, format) {
      const said = await run(program, ['info', '--output=json', '-f', format, '--', FD], fd);
      const info = infoSchema.safeParse(json(said));
      const other = info.data?.['backing-filename'] ?? info.data?.['format-specific']?.data?.['data-file'];
      if (!info.success || info.data.format !== format || other !== undefined || info.data.encrypted === true)
        throw new WebvirtError('bad-request', `qemu-img does not find a plain ${format} image in this file.`);
      return { virtualBytes: info.data['virtual-size'], fileBytes: info.data['actual-size'] };
    },
    async clone(fd, base, sizeBytes) {
      const argv = ['create', '-q', '-f', 'qcow2', '-b', base.path, '-F', base.format, '--', FD, String(sizeBytes)];
      await run(program, argv, fd);
    },
    async untouched(fd) {
      // Shared: a guest that somebody started in between holds the write lock, and the answer is only "no" or "yes".
      const map = mapSchema.safeParse(
        json(await run(program, ['map', '-U', '--output=json', '-f', 'qcow2', '--', FD], fd)),
      );
      return map.success && map.data.every(({ depth, data }) => depth > 0 || !data);
    },
    async mustBeClosed(fd) {
      await run(program, ['info', '--output=json', '-f', 'qcow2', '--', FD], fd);
    },
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function codeOf(words: string): ErrorCode {
  if (/No space left|Disk quota exceeded/i.test(words)) return 'no-room';
  return /Failed to get .*lock/i.test(words) ? 'in-use' : 'bad-request';
}

/** Runs it with `fd` as file 3. @throws {WebvirtError} missing-program, timeout, no-room, or bad-request with its words. */
function run(program: string, argv: readonly string[], fd: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { env: ENV, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', fd] });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < MAX_OUTPUT_CHARS) stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_OUTPUT_CHARS) stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new WebvirtError('missing-program', `qemu-img could not be started: ${error.message}.`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(stdout);
      if (signal !== null)
        return reject(new WebvirtError('timeout', `qemu-img ${argv[0]} took too long and was ended.`));
      const words = stderr.replaceAll(FD, 'the file').trim().slice(0, 512);
      reject(new WebvirtError(codeOf(words), `qemu-img ${argv[0]} failed: ${words}`));
    });
  });
}
