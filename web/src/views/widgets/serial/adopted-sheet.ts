/**
 * Stands where xterm.js would put a `<style>` element: the policy of the console allows no inline style, but a script of
 * ours may adopt a sheet. Its text is a sheet of the document as long as it is not removed. The build puts the call into
 * xterm (`web/vite.config.ts`).
 */
export function adoptedSheet(): HTMLElement {
  const sheet = new CSSStyleSheet();
  const element = document.createElement('span');
  element.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    const at = document.adoptedStyleSheets.indexOf(sheet);
    if (at >= 0) document.adoptedStyleSheets.splice(at, 1);
    Element.prototype.remove.call(element);
  };
  return element;
}
