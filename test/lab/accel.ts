import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type GuestImage, INITRAMFS_FILE, KERNEL_FILE } from './guest-image.ts';
import { BASE_ENV } from './run.ts';

const PROBE_LIMIT_MS = 4000;

/** Boots a guest with KVM once and waits for its first heartbeat. /dev/kvm being there proves nothing. */
function bootsWithKvm(image: GuestImage): Promise<boolean> {
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'kvm', '-machine', 'q35', '-m', '96', '-nodefaults', '-display', 'none', '-serial', 'stdio'],
      ...['-kernel', join(image.dir, KERNEL_FILE), '-initrd', join(image.dir, INITRAMFS_FILE)],
      ...['-append', 'console=ttyS0 quiet lab.name=probe'],
    ],
    { env: BASE_ENV, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return new Promise((resolve) => {
    let booted = false;
    const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_LIMIT_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('heartbeat ')) return;
      booted = true;
      child.kill('SIGKILL');
    });
    child.on('error', () => resolve(false));
    child.on('close', () => {
      clearTimeout(timer);
      resolve(booted);
    });
  });
}

/** 'tcg' unless asked for more; 'auto' tries KVM once per boot of this machine and remembers the answer. */
export async function chooseAccel(wish: 'tcg' | 'auto', image: GuestImage): Promise<'kvm' | 'tcg'> {
  if (wish === 'tcg') return 'tcg';
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const file = join(image.dir, 'accel.json');
  const known = await readFile(file, 'utf8').catch(() => null);
  if (known) {
    const answer = JSON.parse(known) as { bootId: string; accel: 'kvm' | 'tcg' };
    if (answer.bootId === bootId) return answer.accel;
  }
  const accel = (await bootsWithKvm(image)) ? 'kvm' : 'tcg';
  await writeFile(file, JSON.stringify({ bootId, accel }));
  return accel;
}
