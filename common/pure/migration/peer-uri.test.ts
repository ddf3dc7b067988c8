import { expect, test } from 'vitest';
import { fillPeerUri, isPeerTemplate, peerUri } from './peer-uri.ts';

test.each([
  ['qemu+tls://{address}/system', '10.77.0.2', 'qemu+tls://10.77.0.2/system'],
  ['qemu+tcp://{address}:16510/system', 'H2.Example.org', 'qemu+tcp://h2.example.org:16510/system'],
  ['qemu+ssh://root@{address}/system', 'fe80::1', 'qemu+ssh://root@[fe80::1]/system'],
  ['qemu+tls://fixed.example/system', '10.0.0.1', 'qemu+tls://fixed.example/system'],
])('%s with %s', (template, address, uri) => {
  expect(fillPeerUri(template, address)).toBe(uri);
  expect(peerUri(uri)).toBe(uri);
  expect(isPeerTemplate(template)).toBe(true);
});

test.each([
  '',
  'test:///default',
  'qemu:///system',
  'qemu+unix:///system',
  'qemu+ext://h/system',
  'qemu+tls://h/session',
  'qemu+tls://h/system?command=/bin/sh',
  'qemu+ssh://h/system?socket=/tmp/x',
  'qemu+libssh2://h/system',
  'qemu+tls://root@h/system',
  'qemu+ssh://-oProxyCommand@h/system',
  'qemu+ssh://root@-oProxyCommand=x/system',
  'qemu+tcp://-h/system',
  'qemu+tcp://h-/system',
  'qemu+tcp://h..x/system',
  'qemu+tcp://h:0/system',
  'qemu+tcp://h:65536/system',
  'qemu+tcp://h;list/system',
  'qemu+tcp://h /system',
  'qemu+tcp://h\n/system',
  'qemu+tcp://[10.0.0.1]/system',
  'qemu+tcp://$(id)/system',
])('refuses %j', (uri) => {
  expect(peerUri(uri)).toBeNull();
});

test.each(['', '1.2.3.4/x', 'a b', '-x', '{address}', 'h\u0000', '日本', 'a,b', 'h?x=1', 'h#x', 'u@h'])(
  'refuses the address %j',
  (address) => {
    expect(fillPeerUri('qemu+tls://{address}/system', address)).toBeNull();
  },
);
