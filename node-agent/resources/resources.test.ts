import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HostFacts } from '../../common/model/host.ts';
import { createResources } from './resources.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-resources-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('however often it is asked while a reading hangs, one more follows, and that reads everything', async () => {
  let asked = 0;
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const resources = createResources(
    { pools: { default: folder }, imagesPath: join(folder, 'images.json'), domainType: 'qemu' },
    {
      hypervisor: {
        facts: () => ({ hypervisor: { driver: 'qemu' }, libvirtAnswers: true }) as HostFacts,
        instances: () => [],
        on: () => () => undefined,
        async readHost(words) {
          if (words[0] !== 'net-list') return '';
          asked += 1;
          await gate;
          return '';
        },
      },
      log: { warn: () => undefined, error: () => undefined } as never,
    },
  );
  const first = resources.changed();
  // One word to virsh for each reading: without networks it is not asked which of them run.
  await vi.waitFor(() => expect(asked).toBe(1));
  const more = Array.from({ length: 20 }, () => resources.changed());
  open();
  await Promise.all([first, ...more]);
  expect(asked).toBe(2);
});
