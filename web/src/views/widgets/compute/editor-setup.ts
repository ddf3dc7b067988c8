import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { Annotation, EditorState, Prec } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import { hiddenCharacters, visibleText } from '../../../../../common/pure/visible-text.ts';
import type { Completion } from '../../../models/compute/compute.ts';
import { colours, look } from './editor-look.ts';

export interface EditorOptions {
  /**
   * Where it stands. The root must be a shadow root: CodeMirror then adopts its style sheet, which the policy of the
   * console allows; a `<style>` of its own it does not.
   */
  root: ShadowRoot;
  code: string;
  label: string;
  onChange: (code: string) => void;
  /** Shift, Ctrl (or Cmd) and Alt with Enter. */
  onRun: (then: 'next' | 'stay' | 'insert') => void;
  /** Ctrl-C with nothing selected. */
  onInterrupt: () => void;
  /** The arrow at the first or last line: true when the focus went to another cell. */
  onLeave: (direction: -1 | 1) => boolean;
  complete: (code: string, cursor: number) => Promise<Completion>;
}

export interface Editor {
  focus(): void;
  /** Puts other code in; the reader's own undo history begins anew. */
  setCode(code: string): void;
  destroy(): void;
}

const HIDDEN = hiddenCharacters();
const fromOutside = Annotation.define<boolean>();

export function createEditor(options: EditorOptions): Editor {
  const run = (then: 'next' | 'stay' | 'insert') => () => {
    options.onRun(then);
    return true;
  };
  const extensions = [
    Prec.highest(
      keymap.of([
        { key: 'Shift-Enter', run: run('next') },
        { key: 'Mod-Enter', run: run('stay') },
        { key: 'Alt-Enter', run: run('insert') },
        { key: 'Tab', run: completeOrIndent, shift: indentLess },
        { key: 'ArrowUp', run: (view) => atEdge(view, -1) && options.onLeave(-1) },
        { key: 'ArrowDown', run: (view) => atEdge(view, 1) && options.onLeave(1) },
        {
          key: 'Ctrl-c',
          run: ({ state }) => {
            if (state.selection.main.empty) options.onInterrupt();
            return false;
          },
        },
      ]),
    ),
    // Code comes from others too: what turns the reading direction, or is not seen, is shown for what it is.
    highlightSpecialChars({ specialChars: HIDDEN, render: hiddenMark }),
    history(),
    indentUnit.of('    '),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({
      override: [(context) => answer(context, options.complete)],
      activateOnTyping: false,
      // The list comes only when it was asked for: the next key is meant for it.
      interactionDelay: 0,
      icons: false,
    }),
    python(),
    syntaxHighlighting(colours),
    look,
    EditorView.lineWrapping,
    placeholder('Code. Shift Enter runs it.'),
    EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false', autocapitalize: 'off' }),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((one) => one.annotation(fromOutside)))
        options.onChange(update.state.doc.toString());
    }),
  ];
  const view = new EditorView({
    state: EditorState.create({ doc: options.code, extensions }),
    parent: options.root,
    root: options.root,
  });
  return {
    focus: () => view.focus(),
    setCode(code) {
      if (code === view.state.doc.toString()) return;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: code },
        annotations: fromOutside.of(true),
      });
    },
    destroy: () => view.destroy(),
  };
}

function hiddenMark(code: number): HTMLElement {
  const mark = document.createElement('span');
  mark.className = 'cm-hidden-char';
  mark.textContent = visibleText(String.fromCodePoint(code));
  return mark;
}

/** Tab: takes the chosen completion, indents at the beginning of a line, asks for completions behind a word. */
function completeOrIndent(view: EditorView): boolean {
  if (acceptCompletion(view)) return true;
  const { main } = view.state.selection;
  const line = view.state.doc.lineAt(main.head);
  const before = line.text.slice(0, main.head - line.from);
  if (main.empty && before.trim() !== '') return startCompletion(view);
  if (!main.empty) return indentMore(view);
  view.dispatch(view.state.replaceSelection('    '));
  return true;
}

function atEdge(view: EditorView, direction: -1 | 1): boolean {
  const { main } = view.state.selection;
  if (!main.empty) return false;
  const line = view.state.doc.lineAt(main.head).number;
  return line === (direction < 0 ? 1 : view.state.doc.lines);
}

async function answer(
  context: CompletionContext,
  complete: EditorOptions['complete'],
): Promise<CompletionResult | null> {
  const code = context.state.doc.toString();
  // Python counts characters, this editor counts UTF-16 units.
  const points = (units: number) => [...code.slice(0, units)].length;
  const units = (count: number) => [...code].slice(0, count).join('').length;
  const { matches, start, end } = await complete(code, points(context.pos));
  if (matches.length === 0 || context.aborted) return null;
  const [from, to] = [units(start), units(end)];
  const [only] = matches;
  if (matches.length === 1 && only !== undefined && context.view?.state.doc.eq(context.state.doc)) {
    context.view.dispatch({ changes: { from, to, insert: only }, selection: { anchor: from + only.length } });
    return null;
  }
  return {
    from,
    to,
    options: matches.map((label) => ({ label })),
    validFor: /^[\w.]*$/,
  };
}
