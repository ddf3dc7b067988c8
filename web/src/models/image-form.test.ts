import { describe, expect, it } from 'vitest';
import { type DeletePlaces, diskFates } from './delete-plan.ts';
import { formatOfFile, type ImageForm, imageFaults, nameOfFile, registerRequest, takenNames } from './image-form.ts';

const form = (more: Partial<ImageForm> = {}): ImageForm => ({
  ...{ host: 'h', pool: 'images', file: 'a/Debian 12.qcow2', name: 'debian', format: 'qcow2' },
  ...{ kernel: '', initrd: '', cmdline: '' },
  ...more,
});

describe('a base image', () => {
  it('gets name and format from its file', () => {
    expect(['a/Debian 12.qcow2', '_x.IMG', 'disk', ''].map(nameOfFile)).toEqual(['debian-12', 'x', 'disk', '']);
    expect(['x.qcow2', 'x.img', 'x.raw', 'x'].map(formatOfFile)).toEqual(['qcow2', 'raw', 'raw', null]);
  });

  it('needs a file inside the pool, a free name, and a kernel for what only a kernel takes', () => {
    expect(imageFaults(form(), new Set())).toEqual({});
    expect(Object.keys(imageFaults(form({ file: '../x', name: 'B', initrd: 'i' }), new Set()))).toEqual([
      'file',
      'kernel',
      'name',
    ]);
    expect(imageFaults(form({ file: '/x' }), new Set(['debian']))).toMatchObject({
      ...{ file: expect.stringContaining('inside the pool'), name: 'The host has a base image of this name' },
    });
  });

  it('may have the name of the same file again, and of no other', () => {
    const images = [
      { host: 'h', name: 'debian', path: '/pool/a/Debian 12.qcow2' },
      { host: 'o', name: 'x' },
    ];
    const taken = (file: string, pool?: string) => [...takenNames(images, form({ file }), pool)];
    expect([taken(' a/Debian 12.qcow2 ', '/pool/'), taken('b', '/pool'), taken('b')]).toEqual([
      [],
      ['debian'],
      ['debian'],
    ]);
  });

  it('becomes a call without what was left empty', () => {
    expect(registerRequest(form({ kernel: ' k ' }))).toEqual({
      ...{ host: 'h', pool: 'images', file: 'a/Debian 12.qcow2', name: 'debian', format: 'qcow2', kernel: 'k' },
    });
  });
});

describe('deleting', () => {
  const id = '0b7c9a52-5d0c-4b6e-9b53-3f1f6f4f1a10';
  const places: DeletePlaces = { pools: [{ name: 'p', path: '/pool/' }], images: [{ path: `/pool/base.qcow2` }] };
  const fate = (source: string, device = 'disk', known: DeletePlaces | null = places) =>
    diskFates({ id, disks: [{ target: 'vda', device, source }] }, known)[0]!.goes;

  it('takes only the disk that was made for the instance', () => {
    expect(fate(`/pool/${id}.qcow2`)).toBe(true);
    expect(fate(`/pool/deep/${id}.qcow2`)).toBe(false);
    expect(fate(`/elsewhere/${id}.qcow2`)).toBe(false);
    expect(fate('/pool/other.qcow2')).toBe(false);
    expect(fate('/pool/base.qcow2')).toBe(false);
    expect(fate(`/pool/${id}.qcow2`, 'cdrom')).toBe(false);
    expect(fate(`/pool/${id}.qcow2`, 'disk', null)).toBe(false);
  });

  it('lists no empty drive', () => {
    expect(diskFates({ id, disks: [{ target: 'sda', device: 'cdrom' }] }, places)).toEqual([]);
  });
});
