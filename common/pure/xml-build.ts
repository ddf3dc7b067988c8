/**
 * The only way XML for libvirt is made: a tree of elements whose texts and attributes are escaped when written.
 * A closing tag inside a name once gave a machine the host's /etc/shadow as a disk; here text is only ever text.
 */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, XmlValue | undefined>>;
  readonly children: readonly (XmlElement | string)[];
}
export type XmlValue = string | number | boolean;

/** ASCII only, and no colon: a name space is a way to smuggle in what libvirt reads as its own (`qemu:commandline`). */
const ELEMENT_NAME = /^[A-Za-z_][A-Za-z0-9._-]*$/;
/** `xmlns` is refused for the same reason. */
const XML_PREFIX = /^xml/i;
/** What XML 1.0 cannot hold at all, and line ends and tabs, which parsers change in attributes. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;

/**
 * Makes an element. Attributes of value undefined are left out. Children are elements and plain texts.
 * @throws {RangeError} for a name that is no XML name, or a text that holds a control character or half a character.
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, XmlValue | undefined>> = {},
  ...children: readonly (XmlElement | XmlValue)[]
): XmlElement {
  mustName(name);
  for (const [key, value] of Object.entries(attributes)) {
    mustName(key);
    if (value !== undefined) mustText(plain(value));
  }
  const kept = children.map((child) => (typeof child === 'object' ? child : mustText(plain(child))));
  return { name, attributes: { ...attributes }, children: kept };
}

/** The XML text of an element, without a declaration. Everything is checked and escaped again here. */
export function toXml(root: XmlElement): string {
  mustName(root.name);
  let text = `<${root.name}`;
  for (const [key, value] of Object.entries(root.attributes)) {
    mustName(key);
    if (value !== undefined) text += ` ${key}="${escaped(mustText(plain(value)))}"`;
  }
  if (root.children.length === 0) return `${text}/>`;
  text += '>';
  for (const child of root.children) text += typeof child === 'string' ? escaped(mustText(child)) : toXml(child);
  return `${text}</${root.name}>`;
}

function plain(value: XmlValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('a number in XML must be finite');
  return String(value);
}

function mustName(name: string): void {
  if (!ELEMENT_NAME.test(name) || XML_PREFIX.test(name)) throw new RangeError(`not a name for XML: ${visible(name)}`);
}

function mustText(text: string): string {
  if (CONTROL.test(text)) throw new RangeError(`a control character is not allowed: ${visible(text)}`);
  if (/\p{Surrogate}/u.test(text)) throw new RangeError(`half a character is not allowed: ${visible(text)}`);
  return text;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

function visible(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
