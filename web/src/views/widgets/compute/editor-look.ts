import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// Colours are the tokens of the console: custom properties reach into the shadow root and follow the theme by themselves.

export const colours = HighlightStyle.define([
  {
    tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword],
    color: 'var(--wv-code-word)',
  },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--wv-code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--wv-code-number)' },
  { tag: tags.comment, color: 'var(--wv-dim)', fontStyle: 'italic' },
  {
    tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)],
    color: 'var(--wv-code-name)',
  },
  { tag: [tags.meta, tags.self], color: 'var(--wv-code-name)' },
]);

export const look = EditorView.theme({
  '&': { color: 'var(--wv-text)', backgroundColor: 'transparent', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--wv-mono)', lineHeight: '1.55', overflow: 'auto', maxHeight: '60vh' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--wv-accent)', minHeight: '36px', boxSizing: 'border-box' },
  '.cm-line': { padding: '0 12px' },
  '.cm-hidden-char': { color: 'var(--wv-warn)', fontWeight: '600' },
  '.cm-placeholder': { color: 'var(--wv-faint)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--wv-accent-ground)', color: 'inherit' },
  '&.cm-focused .cm-nonmatchingBracket': { color: 'var(--wv-error)' },
  '.cm-tooltip': {
    border: '1px solid var(--wv-line-strong)',
    borderRadius: '8px',
    backgroundColor: 'var(--wv-raised)',
    color: 'var(--wv-text)',
    boxShadow: 'var(--wv-shadow)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--wv-mono)', maxHeight: '220px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px', lineHeight: '1.4' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--wv-accent-ground)',
    color: 'var(--wv-text)',
  },
});
