import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';

const RESERVE_BYTES = 1024 * 1024;

/**
 * A file of 1 MiB beside the journal that is given up when the disk is full, so that an operation that stops a machine
 * can still be written down before it runs.
 */
export function createEmergencyReserve(path: string) {
  return {
    /** Makes the file when it is not there; false when the disk has no room for it. */
    fill(): boolean {
      try {
        if (statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES) return true;
        const file = openSync(path, 'w', 0o600);
        try {
          writeSync(file, Buffer.alloc(RESERVE_BYTES, 0x2e));
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        return true;
      } catch {
        rmSync(path, { force: true });
        return false;
      }
    },
    release(): void {
      rmSync(path, { force: true });
    },
  };
}
