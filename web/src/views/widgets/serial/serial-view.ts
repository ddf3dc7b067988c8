import { render as drawInto, html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import type { SerialState, SerialWay } from '../../../models/serial-console.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { readPaste } from './paste.ts';
import { PasteDialog } from './paste-dialog.ts';
import { serialNotice } from './serial-notice.ts';
import type { Terminal } from './terminal.ts';

export interface SerialOptions extends ViewOptions {
  deps: Pick<PageDeps, 'serial' | 'models' | 'act' | 'pending' | 'copy' | 'onTheme'>;
  instance: string;
}

/** How long it is said that keys did not reach the guest. */
const UNSENT_SHOWN_MS = 6_000;

/** The serial console of an instance: its state, a terminal, and what to do while it cannot be connected. */
export class SerialView extends View<SerialOptions> {
  declare bar: HTMLElement;
  declare screen: HTMLElement;
  declare terminal: Terminal | null;
  declare way: SerialWay | null;
  declare state: SerialState;
  declare lastHost: string;
  declare wasOpen: boolean;
  declare focused: boolean;
  declare large: boolean;
  declare lookOnly: boolean;
  declare failed: string | null;
  declare unsent: string | null;
  declare size: string;

  override preinitialize(options: SerialOptions): void {
    super.preinitialize(options);
    this.className = 'serial';
    this.terminal = null;
    this.way = null;
    this.state = { phase: 'opening', hostName: '', reason: null, code: null, write: true };
    this.lastHost = '';
    this.wasOpen = false;
    this.focused = false;
    this.large = false;
    this.lookOnly = false;
    this.failed = null;
    this.unsent = null;
    this.size = '';
  }

  override initialize(): void {
    const { deps, instance } = this.options;
    this.bar = document.createElement('div');
    this.screen = document.createElement('div');
    this.screen.className = 'serial-screen';
    this.el.append(this.bar, this.screen);
    this.listenTo(deps.models.instances, 'change', (model) => model.id === instance && this.redraw());
    this.listenTo(deps.pending, 'change', this.redraw);
    this.cleanup(deps.onTheme(() => this.terminal?.recolour()));
    this.cleanup(() => {
      this.way?.close();
      this.terminal?.dispose();
    });
  }

  name(): string {
    return this.options.deps.models.instances.get(this.options.instance)?.get('name') ?? 'the instance';
  }

  /** Loads the terminal and opens the console, once; call it when the element is on the page. */
  async begin(): Promise<void> {
    if (this.way !== null || this.terminal !== null) return this.terminal?.fit();
    try {
      const { openTerminal } = await import('./terminal.ts');
      if (this.destroyed || this.terminal !== null) return;
      this.failed = null;
      this.terminal = openTerminal(this.screen, {
        onKeys: (keys) => this.way?.type(keys),
        onLeave: () => this.el.querySelector<HTMLElement>('.serial-bar button')?.focus(),
        onFocus: (focused) => {
          this.focused = focused;
          this.redraw();
        },
        onPaste: (text) => this.paste(text),
        onCopy: (text) => this.options.deps.copy(text, 'Selection'),
        onSize: (columns, rows) => {
          this.size = `${columns}×${rows}`;
          this.redraw();
        },
      });
    } catch {
      this.failed = 'The terminal could not be loaded. Is the manager reached? If it is, reload the page.';
      this.redraw();
      return;
    }
    this.connect(this.terminal);
  }

  connect(terminal: Terminal): void {
    const { deps, instance } = this.options;
    this.way = deps.serial(instance, !this.lookOnly, {
      onRecent: (bytes) => terminal.reset(bytes),
      onData: (bytes, skipped) => {
        if (skipped > 0) terminal.mark(`${bytesText(skipped)} skipped: more came than could be shown`);
        terminal.write(bytes);
      },
      onState: (state) => this.tell(state, terminal),
      onUnsent: (reason) => {
        this.unsent = reason;
        setTimeout(() => {
          this.unsent = null;
          this.redraw();
        }, UNSENT_SHOWN_MS);
        this.redraw();
      },
    });
  }

  tell(state: SerialState, terminal: Terminal): void {
    const before = this.state;
    this.state = state;
    terminal.setWrite(state.write && !this.lookOnly);
    if (state.phase === 'open' && before.phase !== 'open') {
      const moved = this.lastHost !== '' && this.lastHost !== state.hostName;
      if (moved) terminal.mark(`now on ${visibleText(state.hostName)}`);
      else if (this.wasOpen && before.phase === 'ended') terminal.mark('connected again');
      this.lastHost = state.hostName;
      this.wasOpen = true;
    }
    if (state.phase === 'ended' && before.phase === 'open') terminal.mark(visibleText(state.reason ?? 'disconnected'));
    this.redraw();
  }

  paste(raw: string): void {
    const pasted = readPaste(raw);
    if (pasted.text === '' || this.state.phase !== 'open' || this.lookOnly) return;
    const send = () => this.terminal?.paste(pasted.text);
    if (pasted.tooLong) {
      this.unsent = 'That is too much to paste: at most 256 KiB. Copy a file into the guest instead.';
      this.redraw();
    } else if (!pasted.ask) send();
    else new PasteDialog({ parent: this, pasted, name: this.name(), onConfirm: send }).open();
  }

  async pasteFromButton(): Promise<void> {
    const text = await navigator.clipboard.readText().catch(() => '');
    this.paste(text);
  }

  setLarge(large: boolean): void {
    this.large = large;
    this.el.classList.toggle('is-large', large);
    this.draw();
    this.terminal?.fit();
    this.terminal?.focus();
  }

  override draw(): this {
    if (this.destroyed) return this;
    this.el.classList.toggle('is-off', this.state.phase !== 'open');
    this.el.classList.toggle('is-focused', this.focused);
    drawInto(this.barTemplate(), this.bar);
    return this;
  }

  barTemplate(): TemplateResult {
    const { state, terminal } = this;
    const open = state.phase === 'open';
    const canPaste = open && !this.lookOnly && navigator.clipboard?.readText !== undefined;
    return html`<div class="serial-bar">
        <span class="serial-state ${open ? 'tone-good' : 'tone-quiet'}" role="status">
          ${open ? html`<span class="serial-dot" aria-hidden="true"></span>Connected on ${visibleText(state.hostName)}` : stateText(state)}</span>
        <span class="serial-hint dim">${this.hint()}</span>
        <span class="serial-buttons">
          <label class="check serial-look"><input type="checkbox" .checked=${this.lookOnly} @change=${() => {
            this.lookOnly = !this.lookOnly;
            this.way?.reopen({ write: !this.lookOnly });
            this.redraw();
          }} />Look only</label>
          ${canPaste ? html`<button type="button" class="btn btn-sm btn-quiet" title="Paste into the guest (Ctrl Shift V)" @click=${() => void this.pasteFromButton()}>Paste</button>` : null}
          <button type="button" class="btn btn-sm btn-quiet" title="Copy what is selected (Ctrl Shift C)" ?disabled=${terminal === null} @click=${() => {
            const text = terminal?.selection() ?? '';
            if (text !== '') this.options.deps.copy(text, 'Selection');
          }}>${icon('copy')} Copy</button>
          <button type="button" class="btn btn-sm btn-quiet" aria-pressed=${this.large} @click=${() => this.setLarge(!this.large)}>${icon(this.large ? 'close' : 'panel')} ${this.large ? 'Smaller' : 'Larger'}</button>
        </span></div>
      ${serialNotice({
        ...this.options,
        state,
        failed: this.failed,
        unsent: this.unsent,
        takeOver: () => this.way?.reopen({ write: !this.lookOnly, force: true }),
        retry: () => void this.begin(),
      })}`;
  }

  hint(): TemplateResult | string {
    if (this.state.phase !== 'open') return '';
    if (this.lookOnly || !this.state.write) return 'Keys are not sent.';
    if (this.focused) return html`Keys go to the guest. <kbd>Ctrl</kbd> <kbd>F6</kbd> leaves.`;
    return 'Click into the terminal to type.';
  }
}

function stateText({ phase }: SerialState): TemplateResult | string {
  if (phase === 'opening') return html`<span class="spinner" aria-hidden="true"></span> Connecting…`;
  return phase === 'lost' ? 'The manager is not reached' : 'Not connected';
}
