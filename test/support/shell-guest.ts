import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLabConfig } from '../lab/config.ts';
import { INITRAMFS_FILE, KERNEL_FILE, prepareGuestImage } from '../lab/guest-image.ts';
import type { PrivateLibvirtd } from './private-libvirtd.ts';

const OPTIONS =
  'console=ttyS0 quiet tsc=reliable no_timer_check nokaslr mitigations=off lpj=4000000 rcupdate.rcu_expedited=1 i8042.noaux panic=1';

/**
 * Defines a guest of the lab on a private libvirtd: a heartbeat, and a shell once Enter is pressed. What it prints is
 * also in the file `logFile`, which both can see.
 */
export async function defineShellGuest(
  libvirtd: PrivateLibvirtd,
  guest: { name: string; uuid: string; logFile: string },
): Promise<void> {
  const { dir } = await prepareGuestImage(readLabConfig().cacheDir);
  const path = join(libvirtd.runDir, `${guest.uuid}.xml`);
  writeFileSync(
    path,
    `<domain type='qemu'><name>${guest.name}</name><uuid>${guest.uuid}</uuid><memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>${join(dir, KERNEL_FILE)}</kernel>
<initrd>${join(dir, INITRAMFS_FILE)}</initrd><cmdline>${OPTIONS} lab.name=${guest.name}</cmdline></os>
<features><acpi/></features><on_reboot>restart</on_reboot>
<devices><serial type='pty'><log file='${guest.logFile}' append='on'/><target port='0'/></serial>
<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>`,
  );
  await libvirtd.virsh('define', path);
}
