import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readNew } from './file-tail.ts';
import { type Kept, loadPositions, savePositions } from './positions.ts';
import { qemuLine, uuidInLine } from './qemu-line.ts';
import type { Source, SourceDeps } from './source.ts';

export interface QemuLogConfig {
  /** libvirt's folder of one log per domain, `/var/log/libvirt/qemu`. */
  qemuLogDir: string;
  /** Where the places in the logs are kept across restarts. */
  positionsPath: string;
  /** How much of a log that was never read before is read. Default 64 KiB. */
  firstBytes?: number;
  /** A longer line is cut. Default 16 KiB. */
  lineCapBytes?: number;
  /** How often all logs are looked at, for changes that no notice came of. Default 5 s. */
  lookEveryMs?: number;
}

const SAVE_AFTER_MS = 250;
const LOG = /^(.+)\.log$/;

/** Tails libvirt's log of every domain. `idOf` tells the UUID of the instance that has a name now. */
export function createQemuLog(
  config: QemuLogConfig,
  deps: SourceDeps & { idOf(name: string): string | undefined },
): Source {
  // Only what was there before our very first start is cut short; a log that came later is read whole.
  const options = { capBytes: config.lineCapBytes ?? 16 * 1024, firstBytes: Number.POSITIVE_INFINITY };
  let kept = new Map<string, Kept>();
  const asked = new Set<string>();
  let reading: Promise<void> | null = null;
  let watcher: FSWatcher | null = null;
  let looks: NodeJS.Timeout | undefined;
  let saving: NodeJS.Timeout | undefined;
  let lastFault = '';

  /** Reads the named logs, one after another; names that come meanwhile are read next. */
  function poke(names: readonly string[]): void {
    for (const name of names) if (LOG.test(name)) asked.add(name);
    reading ??= readAsked().finally(() => {
      reading = null;
      if (asked.size > 0) poke([]);
    });
  }

  async function readAsked(): Promise<void> {
    for (const name of asked) {
      asked.delete(name);
      const old = kept.get(name);
      const before = old === undefined ? '' : JSON.stringify(old);
      let instance = old?.instance;
      const unit = LOG.exec(name)?.[1] ?? name;
      try {
        const position = await readNew(join(config.qemuLogDir, name), old ?? null, options, (text) => {
          // A log is named after the domain as it was called at its start; the UUID in it is surer.
          instance = uuidInLine(text) ?? instance;
          deps.emit(qemuLine(text, { unit, instance: instance ?? deps.idOf(unit), nowMs: deps.now() }));
        });
        if (position === null) continue;
        kept.set(name, instance === undefined ? position : { ...position, instance });
        if (JSON.stringify(kept.get(name)) !== before) saveSoon();
        lastFault = '';
      } catch (error) {
        if (String(error) !== lastFault)
          deps.log.warn('a QEMU log could not be read', { file: name, reason: String(error) });
        lastFault = String(error);
      }
    }
  }

  function saveSoon(): void {
    saving ??= setTimeout(() => {
      saving = undefined;
      void save();
    }, SAVE_AFTER_MS);
  }

  async function save(): Promise<void> {
    await savePositions(config.positionsPath, kept).catch((error: unknown) =>
      deps.log.warn('the places in the QEMU logs could not be saved', { reason: String(error) }),
    );
  }

  async function look(): Promise<void> {
    const names: string[] = await readdir(config.qemuLogDir).catch(() => []);
    // Between two steps of a rotation only the renamed file is there: its rest is still to be read.
    for (const name of kept.keys()) if (!names.some((other) => other.startsWith(name))) kept.delete(name);
    if (watcher === null && names.length > 0) follow();
    poke(names);
  }

  function follow(): void {
    try {
      watcher = watch(config.qemuLogDir, (_event, name) => {
        if (name !== null) poke([name]);
      });
      watcher.on('error', () => {
        watcher?.close();
        watcher = null;
      });
    } catch {
      // No folder yet: the next look tries again.
      watcher = null;
    }
  }

  return {
    async start() {
      const saved = await loadPositions(config.positionsPath);
      kept = saved ?? new Map();
      if (saved === null) options.firstBytes = config.firstBytes ?? 64 * 1024;
      follow();
      await look();
      await reading;
      options.firstBytes = Number.POSITIVE_INFINITY;
      looks = setInterval(() => void look(), config.lookEveryMs ?? 5_000);
    },
    async stop() {
      clearInterval(looks);
      clearTimeout(saving);
      watcher?.close();
      watcher = null;
      await reading;
      await save();
    },
  };
}
