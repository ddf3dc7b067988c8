import { html, type TemplateResult } from 'lit-html';
import { View, type ViewOptions } from '../base/view.ts';

export interface MenuItem {
  label: string;
  danger?: boolean;
  run: () => void;
}

export interface MenuOptions extends ViewOptions {
  items: MenuItem[];
  anchor: HTMLElement;
  label: string;
}

/** A small menu under a button: arrows move, Escape and a click elsewhere close. One at a time per page. */
export class Menu extends View<MenuOptions> {
  override preinitialize(options: MenuOptions): void {
    super.preinitialize(options);
    this.className = 'menu';
  }

  open(): this {
    this.el.setAttribute('role', 'menu');
    this.el.setAttribute('aria-label', this.options.label);
    this.draw();
    document.body.append(this.el);
    this.placeAt(this.options.anchor.getBoundingClientRect());
    this.options.anchor.ariaExpanded = 'true';
    this.buttons()[0]?.focus();
    this.el.addEventListener('keydown', (event) => this.onKey(event));
    const away = (event: Event) => event.target instanceof Node && !this.el.contains(event.target) && this.destroy();
    // A live stream scrolls all the time: only what moves the button moves away from the menu.
    const moved = (event: Event) =>
      event.target instanceof Node && event.target.contains(this.options.anchor) && away(event);
    document.addEventListener('pointerdown', away, true);
    document.addEventListener('scroll', moved, true);
    this.cleanup(() => {
      this.options.anchor.ariaExpanded = 'false';
      document.removeEventListener('pointerdown', away, true);
      document.removeEventListener('scroll', moved, true);
    });
    return this;
  }

  placeAt(anchor: DOMRect): void {
    const { width, height } = this.el.getBoundingClientRect();
    const below = anchor.bottom + height + 8 < window.innerHeight;
    this.el.style.left = `${Math.max(8, anchor.right - width)}px`;
    this.el.style.top = `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - height - 4)}px`;
  }

  buttons(): HTMLButtonElement[] {
    return [...this.el.querySelectorAll('button')];
  }

  onKey(event: KeyboardEvent): void {
    const all = this.buttons();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === 'ArrowDown') all[(at + 1) % all.length]?.focus();
    else if (event.key === 'ArrowUp') all[(at + all.length - 1) % all.length]?.focus();
    else if (event.key === 'Home') all[0]?.focus();
    else if (event.key === 'End') all.at(-1)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') {
      this.options.anchor.focus();
      this.destroy();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  override template(): TemplateResult {
    return html`${this.options.items.map(
      (item) =>
        html`<button type="button" role="menuitem" class=${item.danger ? 'is-danger' : ''} @click=${() => {
          // A dialog that it opens gives the focus back to the button, not to what is gone.
          this.options.anchor.focus();
          this.destroy();
          item.run();
        }}>${item.label}</button>`,
    )}`;
  }
}
