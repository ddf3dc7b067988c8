import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import type { Editor, EditorOptions } from './editor-setup.ts';

export interface CodeEditorOptions extends ViewOptions, Omit<EditorOptions, 'root' | 'code'> {
  code: () => string;
}

/** The code of a cell. The editor is loaded when the first one is shown; until then the code stands there as text. */
export class CodeEditor extends View<CodeEditorOptions> {
  declare editor: Editor | null;
  declare plain: HTMLElement;
  declare wantsFocus: boolean;

  override preinitialize(options: CodeEditorOptions): void {
    super.preinitialize(options);
    this.className = 'code-editor';
    this.editor = null;
    this.wantsFocus = false;
  }

  override initialize(): void {
    this.plain = document.createElement('pre');
    this.plain.className = 'code-plain';
    this.plain.textContent = this.shown();
    this.el.append(this.plain);
    this.cleanup(() => this.editor?.destroy());
    void this.load();
  }

  async load(): Promise<void> {
    const setup = await import('./editor-setup.ts').catch(() => null);
    if (this.destroyed) return;
    if (setup === null) return this.useField();
    const host = document.createElement('div');
    const { parent: _, ...options } = this.options;
    this.editor = setup.createEditor({
      ...options,
      code: this.options.code(),
      root: host.attachShadow({ mode: 'open' }),
    });
    this.plain.replaceWith(host);
    if (this.wantsFocus) this.editor.focus();
  }

  /** The editor could not be fetched: a plain field does for typing and running. */
  useField(): void {
    const field = document.createElement('textarea');
    field.className = 'form-control code-field';
    field.value = this.options.code();
    field.rows = Math.min(12, field.value.split('\n').length + 1);
    field.setAttribute('aria-label', this.options.label);
    field.addEventListener('input', () => this.options.onChange(field.value));
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.shiftKey || event.ctrlKey || event.altKey)) return;
      event.preventDefault();
      this.options.onRun(event.shiftKey ? 'next' : event.altKey ? 'insert' : 'stay');
    });
    this.editor = {
      focus: () => field.focus(),
      setCode: (code) => {
        field.value = code;
      },
      destroy: () => undefined,
    };
    this.plain.replaceWith(field);
  }

  shown(): string {
    return visibleText(this.options.code(), { keepNewlines: true });
  }

  focus(): void {
    this.wantsFocus = true;
    this.editor?.focus();
  }

  /** Shows other code: somebody else ran this cell. */
  show(): void {
    this.plain.textContent = this.shown();
    this.editor?.setCode(this.options.code());
  }
}
