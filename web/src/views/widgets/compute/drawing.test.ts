import { expect, it } from 'vitest';
import { readDrawing, shapesOf } from './drawing.ts';

const svg = (inner: string) => `<svg xmlns="http://www.w3.org/2000/svg">${inner}</svg>`;
const bomb = (use: string) =>
  svg(
    `<defs><rect id="a0" width="1" height="1"/>${Array.from(
      { length: 9 },
      (_, n) => `<g id="a${n + 1}">${use.replace('ID', `a${n}`).repeat(10)}</g>`,
    ).join('')}</defs>${use.replace('ID', 'a9')}`,
  );

it('draws plots: glyphs that are used many times, a declaration, a style', () => {
  const plot = `<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">${svg(
    `<defs><style type="text/css">*{stroke-linejoin: round}</style><path id="m" d="M 0 0 > 1"/></defs>${'<g id="t"><use xlink:href="#m" x="1"/></g>'.repeat(500)}`,
  )}`;
  expect(shapesOf(plot)).toBeLessThan(3_000);
  expect(readDrawing(plot)?.type).toBe('image/svg+xml');
});

it('does not draw what multiplies itself, however it is written', () => {
  for (const use of [
    '<use href="#ID"/>',
    "<s:use xlink:href='#ID'></s:use>",
    '<ü:use href="#ID"/>',
    '<rect fill="url(#ID)"/>',
    '<rect style=\'fill: URL( "#ID")\'/>',
    '<use x=">" href = "#ID" />',
  ])
    expect(readDrawing(bomb(use))).toBeNull();
  expect(readDrawing(bomb('<use href="#ID"/>').replaceAll('<g id', `<g x=" id='q'" id`))).toBeNull();
  expect(readDrawing(bomb('<!-- <a " --><use href="#ID"/><!-- "> -->'))).toBeNull();
  expect(readDrawing(svg('<style>rect { fill: url(#a) }</style>'))).toBeNull();
  expect(readDrawing(svg('<image href="data:image/svg+xml,x"/>'))).toBeNull();
  expect(readDrawing(bomb('<use href="&#35;ID"/>'))).toBeNull();
  expect(readDrawing(`<!DOCTYPE svg [<!ENTITY a "<g/>">]>${svg('&a;')}`)).toBeNull();
  expect(readDrawing(svg('<g id="a">'.repeat(600)))).toBeNull();
  expect(readDrawing(svg(' '.repeat(5_000_000)))).toBeNull();
});

it('counts what stands in itself once', () => {
  expect(shapesOf(svg('<g id="a"><use href="#a"/></g>'))).toBeLessThan(20);
});

it('takes no time for what is written to take much', () => {
  for (const piece of ['<a', '<!--', '<a "', '<a \'<a "', '<![CDATA[', '<use href="#a"/>', '<a b=', '<a '])
    readDrawing(piece.repeat(Math.floor(3_900_000 / piece.length)));
  readDrawing(`<a ${'x'.repeat(3_900_000)}>`);
  readDrawing(`<a ${'b='.repeat(1_900_000)}>`);
});
