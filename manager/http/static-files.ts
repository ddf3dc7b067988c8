import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { Middleware, ParameterizedContext } from 'koa';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const ENCODINGS = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

/**
 * Serves the built console of one folder: files as they are (with their precompressed `.br`/`.gz` beside them), and
 * `index.html` for the addresses of the console's own router. `isReserved` says which addresses belong to the API: under
 * them nothing is invented. Leaves what it does not serve to the next middleware.
 */
export function staticFiles(folder: string, isReserved: (path: string) => boolean): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    const path = decodeURIComponent(ctx.path);
    const isFile = extname(path) !== '';
    const served = isFile
      ? await serve(ctx, folder, path)
      : !isReserved(path) && (await serve(ctx, folder, '/index.html'));
    if (!served) return next();
  };
}

async function serve(ctx: ParameterizedContext, folder: string, path: string): Promise<boolean> {
  const type = TYPES[extname(path).toLowerCase()];
  if (type === undefined || !/^(?:\/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)+$/.test(path)) return false;
  const root = await realpath(folder).catch(() => null);
  if (root === null) return false;
  const plain = await openInside(root, path);
  if (plain === null) return false;
  const packed = await openPacked(ctx, root, path);
  const file = packed?.file ?? plain;
  if (packed !== null) await plain.close();
  try {
    const { size, mtimeMs } = await file.stat();
    ctx.type = type;
    ctx.vary('Accept-Encoding');
    if (packed !== null) ctx.set('Content-Encoding', packed.encoding);
    // Names under assets/ carry a hash of their content: another content is another name.
    ctx.set('Cache-Control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.etag = `${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}${packed?.encoding ?? ''}`;
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else if (ctx.method === 'HEAD') ctx.length = size;
    else ctx.body = await file.readFile();
    return true;
  } finally {
    await file.close();
  }
}

async function openPacked(ctx: ParameterizedContext, root: string, path: string) {
  for (const { name, ending } of ENCODINGS) {
    if (ctx.acceptsEncodings(name) !== name) continue;
    const file = await openInside(root, path + ending);
    if (file !== null) return { file, encoding: name };
  }
  return null;
}

/**
 * Opens a regular file that truly lies inside the folder. The real path is compared, so no link leads out, and the last
 * step is opened without following one, so a link put there in between is not followed either.
 */
async function openInside(root: string, path: string): Promise<FileHandle | null> {
  try {
    const real = await realpath(join(root, path));
    if (!real.startsWith(root + sep)) return null;
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return null;
  } catch {
    return null;
  }
}
