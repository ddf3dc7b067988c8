import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { element, toXml, type XmlElement } from './xml-build.ts';

/** Parses XML back to the builder's own shape. */
function parse(xml: string): XmlElement {
  const top: XmlElement & { children: (XmlElement | string)[] } = { name: '', attributes: {}, children: [] };
  const stack = [top];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const next = { name: tag.name, attributes: { ...tag.attributes } as Record<string, string>, children: [] };
    stack.at(-1)?.children.push(next);
    stack.push(next);
  });
  parser.on('closetag', () => stack.pop());
  parser.on('text', (text) => {
    if (text !== '') stack.at(-1)?.children.push(text);
  });
  parser.write(xml).close();
  return top.children[0] as XmlElement;
}

const FRAGMENTS = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '</name>',
  "<disk type='file'><source file='/etc/shadow'/></disk>",
  '<!DOCTYPE x>',
  ']]>',
  '<![CDATA[',
  '-->',
  '<!--',
  '<?xml?>',
  '&amp;',
  '&lt;',
  '&#10;',
  '&#x0;',
  '&xxe;',
  '%2e%2e/',
  '../',
  '$',
  '$(id)',
  '`id`',
  ';',
  '--',
  'json:{}',
  '日本',
  '😀',
  '\u202e',
  '\u200b',
  ' ',
  '  ',
  '=',
  '/',
  '\\',
  'qemu:commandline',
  'a',
];

/** 200 strings made of the fragments by a fixed recurrence: the same every run. */
const STRINGS: string[] = [...FRAGMENTS];
for (let seed = 7; STRINGS.length < 200; ) {
  let text = '';
  for (let part = 0; part < 4; part += 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += FRAGMENTS[seed % FRAGMENTS.length];
  }
  STRINGS.push(text);
}

describe('hostile text stays text', () => {
  test.each(STRINGS)('%j', (text) => {
    const tree = element(
      'domain',
      { type: text },
      element('name', {}, text),
      element('source', { file: text }),
      element('title', {}, text, element('b'), text),
    );
    expect(parse(toXml(tree))).toEqual(tree);
  });
});

test.each(['\u0000', '\u001b[0m', 'a\nb', 'a\rb', '\t', '\u0085', '\u2028', '\ufffe', '\ud800', 'a\udc00'])(
  'refuses %j in text and in attributes',
  (text) => {
    expect(() => element('name', {}, text)).toThrow(RangeError);
    expect(() => element('name', { a: text })).toThrow(RangeError);
    expect(() => toXml({ name: 'name', attributes: {}, children: [text] })).toThrow(RangeError);
  },
);

test.each(['', 'a b', 'a>', 'a/', 'qemu:commandline', 'xmlns', 'XML', '1a', '-a', 'a"', 'é', '!--'])(
  'refuses %j as a name of an element or attribute',
  (name) => {
    expect(() => element(name)).toThrow(RangeError);
    expect(() => element('a', { [name]: 'x' })).toThrow(RangeError);
  },
);

test('leaves out undefined attributes and writes numbers and booleans', () => {
  expect(toXml(element('a', { b: undefined, c: 1, d: true }, 12))).toBe('<a c="1" d="true">12</a>');
  expect(() => element('a', {}, Number.NaN)).toThrow(RangeError);
});
