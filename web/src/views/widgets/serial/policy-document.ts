/**
 * A document for xterm.js under `style-src 'self'`. xterm writes its colours and sizes into `<style>` elements and into
 * `style` attributes, and both are inline styles, which the policy forbids. What it may not write as markup it may set
 * through the object model: its sheets become adopted ones, its attributes become `element.style`. Nothing of the policy
 * has to be widened.
 *
 * xterm takes such a document by its option `documentOverride`.
 */
export function policyDocument(real: Document): Document {
  function createElement(name: string, options?: ElementCreationOptions): HTMLElement {
    if (name === 'style') return adoptedSheet(real);
    const element = real.createElement(name, options);
    element.setAttribute = setAttribute;
    return element;
  }
  return new Proxy(real, {
    get(target, key) {
      if (key === 'createElement') return createElement;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** Stands where the `<style>` would: its text is a sheet of the document as long as it is not removed. */
function adoptedSheet(real: Document): HTMLElement {
  const sheet = new CSSStyleSheet();
  const element = real.createElement('span');
  element.hidden = true;
  real.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    const at = real.adoptedStyleSheets.indexOf(sheet);
    if (at >= 0) real.adoptedStyleSheets.splice(at, 1);
    Element.prototype.remove.call(element);
  };
  return element;
}
