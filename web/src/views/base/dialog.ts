import { View, type ViewOptions } from './view.ts';

/**
 * A modal dialog on the browser's own element: focus stays inside, Escape closes, focus returns afterwards. It begins at
 * what is marked `data-first`, else at the dialog itself: not at the button that closes it.
 * Event: `closed`. It destroys itself when it closes.
 */
export abstract class DialogView<O extends ViewOptions = ViewOptions> extends View<O> {
  override preinitialize(options: O): void {
    super.preinitialize(options);
    this.tagName = 'dialog';
    this.className = 'dialog';
  }

  get dialog(): HTMLDialogElement {
    return this.el as HTMLDialogElement;
  }

  open(): this {
    document.body.append(this.el);
    this.el.setAttribute('aria-labelledby', 'dialog-title');
    this.draw();
    this.dialog.addEventListener('close', () => {
      this.trigger('closed');
      this.destroy();
    });
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.el && this.closesOutside()) this.close();
    });
    this.el.tabIndex = -1;
    this.dialog.showModal();
    (this.el.querySelector<HTMLElement>('[data-first]') ?? this.el).focus();
    return this;
  }

  /** Whether a click beside the dialog closes it. A dialog that holds what was typed says no. */
  closesOutside(): boolean {
    return true;
  }

  close(): void {
    this.dialog.close();
  }
}
