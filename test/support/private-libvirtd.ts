import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from '../../node-agent/commands/process-start.ts';
import { run } from './run.ts';

/** A libvirtd in mount and process namespaces of its own, reached through /proc. Needs root. */
export interface PrivateLibvirtd {
  readonly uri: string;
  /** Its /run/libvirt, /var/log/libvirt/qemu and /proc as seen from here. */
  readonly runDir: string;
  readonly qemuLogDir: string;
  readonly procDir: string;
  /** Runs virsh beside WebVirt; answers stdout. @throws Error with virsh's words. */
  virsh(...argv: string[]): Promise<string>;
  /** Defines a small machine that has firmware only: it runs, and follows no shutdown. */
  define(name: string, uuid: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends the daemon hard and starts another; its machines live on. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPrivateLibvirtd(): Promise<PrivateLibvirtd> {
  const script = join(import.meta.dirname, 'private-libvirtd.sh');
  const argv = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private', '--', 'sh', script];
  const outer = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  outer.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const early = once(outer, 'exit').then(() => Promise.reject(new Error(`no private libvirtd: ${stderr.trim()}`)));
  await Promise.race([once(outer.stdout, 'data'), early]);
  early.catch(() => undefined);
  const [child] = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim().split(' ');
  const init = Number(child);
  const root = `/proc/${init}/root`;
  const uri = `qemu+unix:///system?socket=${root}/run/libvirt/libvirt-sock`;

  async function virsh(...words: string[]): Promise<string> {
    return run('virsh', ['-q', '-c', uri, ...words]);
  }

  /** The daemon's process as seen from here: its number inside its namespace is in its status. */
  function daemon(): number {
    const inside = readFileSync(`${root}/run/libvirtd-child.pid`, 'utf8').trim();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!existsSync(`/proc/${pid}/status`)) continue;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (status.includes('Name:\tlibvirtd') && new RegExp(`^NSpid:.*\\s${inside}$`, 'm').test(status)) {
        const parent = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]);
        if (parent === init) return Number(pid);
      }
    }
    throw new Error('the libvirtd of this test is not there');
  }

  async function answers(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await virsh('list');
        return;
      } catch (error) {
        if (tries > 1_000) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  await answers();
  return {
    uri,
    runDir: `${root}/run/libvirt`,
    qemuLogDir: `${root}/var/log/libvirt/qemu`,
    procDir: `${root}/proc`,
    virsh,
    async define(name, uuid) {
      const path = `${root}/run/${uuid}.xml`;
      writeFileSync(
        path,
        `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>24</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<devices><memballoon model='none'/></devices></domain>`,
      );
      await virsh('define', path);
    },
    signal: (signal) => void process.kill(daemon(), signal),
    async restart() {
      const old = daemon();
      process.kill(old, 'SIGKILL');
      // The next one cannot start while this one still holds the lock on its pid file.
      while (processStart(old) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
      process.kill(init, 'SIGUSR1');
      await answers();
    },
    async stop() {
      const gone = once(outer, 'exit');
      process.kill(init, 'SIGKILL');
      await gone;
    },
  };
}
