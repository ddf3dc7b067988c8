import type { MimeBundle } from '../../../../common/model/compute.ts';

/** How a result is shown. `html`: only HTML came; it is shown as text, never as markup. */
export type Shown =
  | { as: 'png'; base64: string; text: string | null }
  | { as: 'svg'; source: string; text: string | null }
  | { as: 'latex'; source: string; text: string | null }
  | { as: 'text'; text: string; latex: string | null }
  | { as: 'html'; source: string }
  | { as: 'unknown'; types: string[] };

/**
 * Chooses the representation of a result that is shown: a picture before words. LaTeX is set where `typeset` says so
 * or where nothing plainer came.
 */
export function shownOf(bundle: MimeBundle, typeset: boolean): Shown {
  const text = own(bundle, 'text/plain');
  const png = own(bundle, 'image/png');
  if (png !== null) return { as: 'png', base64: png, text };
  const svg = own(bundle, 'image/svg+xml');
  if (svg !== null) return { as: 'svg', source: svg, text };
  const latex = latexOf(bundle);
  if (latex !== null && (typeset || text === null)) return { as: 'latex', source: latex, text };
  const html = own(bundle, 'text/html');
  // `<IPython.core.display.HTML object>` says nothing of what was to be seen.
  if (text !== null && !(html !== null && /^<[^<>]* object(?: at 0x[0-9a-f]+)?>$/.test(text)))
    return { as: 'text', text, latex };
  if (html !== null) return { as: 'html', source: html };
  return { as: 'unknown', types: Object.keys(bundle) };
}

/** The LaTeX of a result without the signs around it (`$…$`, `\[…\]`), or null. */
export function latexOf(bundle: MimeBundle): string | null {
  const latex = own(bundle, 'text/latex')?.trim() || showing(bundle);
  if (latex === null) return null;
  const inner = /^(?:\$\$([\s\S]*)\$\$|\$([\s\S]*)\$|\\\[([\s\S]*)\\\]|\\\(([\s\S]*)\\\))$/.exec(latex);
  return (inner?.slice(1).find((part) => part !== undefined) ?? latex).trim();
}

/** Sage's `show()` says its LaTeX only inside of HTML: in a script that MathJax would read. */
function showing(bundle: MimeBundle): string | null {
  const html = own(bundle, 'text/html')?.trim() ?? '';
  const inner = /^<html>\s*<script type="math\/tex[^"<>]*">([^<]*(?:<(?!\/script)[^<]*)*)<\/script>\s*<\/html>$/.exec(
    html,
  )?.[1];
  return inner?.trim() || null;
}

function own(bundle: MimeBundle, type: string): string | null {
  return Object.hasOwn(bundle, type) ? bundle[type]! : null;
}
