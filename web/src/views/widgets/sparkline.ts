/** Top of a curve that has a natural full height but may pass it: nothing is cut off. */
export function topOf(values: readonly number[], full: number): number {
  return values.reduce((top, value) => Math.max(top, value * 1.05), full);
}

/**
 * Draws a small curve with its area. `max` is the value at the top; the curve uses the newest `points` samples, so
 * that equal spans are equally wide in every row.
 */
export function drawSparkline(
  canvas: HTMLCanvasElement,
  values: readonly number[],
  options: { max: number; points: number; colour: string; widthPx: number; heightPx: number },
): void {
  const { widthPx, heightPx, points, colour } = options;
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(widthPx * scale);
  const height = Math.round(heightPx * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = canvas.getContext('2d')!;
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, widthPx, heightPx);
  if (values.length < 2) return;
  const shown = values.slice(-points);
  const step = widthPx / (points - 1);
  const left = widthPx - (shown.length - 1) * step;
  const y = (value: number) => heightPx - 1.5 - Math.min(1, value / Math.max(options.max, 1e-9)) * (heightPx - 3);
  ctx.beginPath();
  shown.forEach((value, index) => {
    if (index === 0) ctx.moveTo(left, y(value));
    else ctx.lineTo(left + index * step, y(value));
  });
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.25;
  ctx.lineJoin = 'round';
  ctx.stroke();
  ctx.lineTo(widthPx, heightPx);
  ctx.lineTo(left, heightPx);
  ctx.closePath();
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.globalAlpha = 1;
}
