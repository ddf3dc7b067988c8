import { visibleText } from '../../../../../common/pure/visible-text.ts';

/**
 * Sets LaTeX as a formula in an element; the library comes with the first one. It builds nodes, no markup, and trusts
 * nothing: no links, no own attributes. What it cannot set is shown as it was written.
 */
export async function setLatex(target: HTMLElement, latex: string): Promise<void> {
  const source = visibleText(latex, { keepNewlines: true });
  try {
    const [{ default: katex }] = await Promise.all([import('katex'), import('katex/dist/katex.min.css')]);
    katex.render(source, target, {
      displayMode: true,
      // Its MathML would carry style attributes, which the policy of the console forbids.
      output: 'html',
      trust: false,
      strict: 'ignore',
      throwOnError: true,
      maxExpand: 500,
      maxSize: 40,
    });
    target.setAttribute('role', 'math');
    target.setAttribute('aria-label', source);
  } catch {
    target.textContent = source;
  }
}

/** Longer formulas are shown as text: setting them would hold up the page. */
export const LONGEST_LATEX = 8_000;
