import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface GuestUse {
  /** Processor time since the process began, seconds. */
  cpuSeconds: number;
  /** Memory of the host that the process holds, bytes. */
  memoryUsedBytes: number;
}

/** Clock ticks a second and bytes a page: both fixed on Linux for every platform that Debian's QEMU runs on here. */
const TICKS = 100;
const PAGE_BYTES = 4_096;

/**
 * What the QEMU processes of this host use, by UUID of their instance. Asks /proc, never a monitor. The process ids come
 * from libvirt's pid files; whose they are is read from the process itself, not from the file's name.
 */
export function createGuestProcesses(config: { runDir: string; procDir: string }) {
  /** By pid: the instance, as long as the process is the same one. */
  const known = new Map<number, { uuid: string; startTicks: string }>();

  async function pids(): Promise<number[]> {
    const folder = join(config.runDir, 'qemu');
    const files = await readdir(folder).catch(() => []);
    const texts = await Promise.all(
      files.filter((file) => file.endsWith('.pid')).map((file) => readFile(join(folder, file), 'utf8').catch(() => '')),
    );
    return texts.map((text) => Number.parseInt(text, 10)).filter((pid) => pid > 1);
  }

  async function look(pid: number): Promise<[string, GuestUse] | null> {
    const stat = await readFile(join(config.procDir, `${pid}/stat`), 'latin1').catch(() => null);
    // The name of the process stands in brackets and may hold anything.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTicks = fields?.[19];
    if (fields === undefined || startTicks === undefined) {
      known.delete(pid);
      return null;
    }
    const uuid = known.get(pid)?.startTicks === startTicks ? known.get(pid)?.uuid : await owner(pid);
    if (uuid === undefined) return null;
    known.set(pid, { uuid, startTicks });
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
    return [uuid, { cpuSeconds, memoryUsedBytes: Number(fields[21]) * PAGE_BYTES }];
  }

  async function owner(pid: number): Promise<string | undefined> {
    const line = await readFile(join(config.procDir, `${pid}/cmdline`), 'utf8').catch(() => '');
    const words = line.split('\0');
    const at = words.indexOf('-uuid');
    return at < 0 ? undefined : words[at + 1];
  }

  return {
    /** True when QEMU processes of libvirt's live here, whether their daemon answers or not. */
    async any(): Promise<boolean> {
      const found = await Promise.all((await pids()).map(look));
      return found.some((one) => one !== null);
    },
    async read(): Promise<Map<string, GuestUse>> {
      const list = await pids();
      for (const pid of known.keys()) if (!list.includes(pid)) known.delete(pid);
      const found = await Promise.all(list.map(look));
      return new Map(found.filter((one) => one !== null));
    },
  };
}
