import { expect, test } from 'vitest';
import { virshFault } from './virsh-faults.ts';

test.each([
  ["error: failed to get domain 'aaaaaaaa-0000-4000-8000-000000000001'", 'not-found'],
  [
    "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/run/x': No such file",
    'libvirt-unavailable',
  ],
  ['error: Failed to resume domain\nerror: Requested operation is not valid: domain is already running', 'wrong-state'],
  [
    "error: Failed to start domain\nerror: Cannot access storage file '/x': No such file or directory",
    'libvirt-failed',
  ],
  [
    'error: Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatchDomainSave)',
    'busy',
  ],
  ['error: Failed to get "write" lock', 'libvirt-failed'],
  ['', 'libvirt-failed'],
])('%j is %s', (stderr, code) => {
  const fault = virshFault(stderr);
  expect(fault).toMatchObject({ code, maybe: false });
  expect(fault.message.length).toBeGreaterThan(10);
});

test('a connection that was lost in the middle may have had an effect', () => {
  expect(virshFault('error: Disconnected from qemu:///system due to end of file')).toMatchObject({ maybe: true });
  expect(virshFault('error: internal error: client socket is closed')).toMatchObject({ maybe: true });
});

test('what libvirt says is kept, and cut', () => {
  expect(virshFault('error: Failed to start domain\nerror: unsupported configuration: x').message).toBe(
    'Failed to start domain · unsupported configuration: x',
  );
  expect(virshFault(`error: ${'y'.repeat(10_000)}`).message.length).toBeLessThan(2_000);
});
