import { bytesText } from '../../../dom/format.ts';

/** Pictures with more points are not unpacked: a small file may hold a picture of gigabytes. */
const MOST_POINTS = 40_000_000;
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export interface Picture {
  blob: Blob;
  width: number;
  height: number;
}

/** The picture in base64, or the reason in words why it is none that can be shown. */
export function readPng(base64: string): Picture | string {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob(base64.replaceAll(/\s/g, '')), (char) => char.charCodeAt(0));
  } catch {
    return 'This picture cannot be read.';
  }
  if (bytes.length < 24 || PNG.some((byte, index) => bytes[index] !== byte)) return 'This is no PNG picture.';
  const header = new DataView(bytes.buffer);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  if (width === 0 || height === 0 || width * height > MOST_POINTS)
    return `This picture of ${width} × ${height} points (${bytesText(bytes.length)}) is too large to be shown. It can be saved.`;
  return { blob: new Blob([bytes], { type: 'image/png' }), width, height };
}

/** Draws a picture on a canvas of its own size: no address, so nothing in the policy has to allow for it. */
export async function drawPicture(canvas: HTMLCanvasElement, picture: Picture): Promise<void> {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const bitmap = await createImageBitmap(picture.blob);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** Hands something to the reader as a file. */
export function saveFile(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
