import { DialogView } from './dialog.ts';
import type { ViewOptions } from './view.ts';

/** A dialog that stays open while it asks the manager, again and again: busy meanwhile, and with its words when it refuses. */
export abstract class AskingDialog<O extends ViewOptions = ViewOptions> extends DialogView<O> {
  /** What the manager said to the last call; empty when it was done. */
  declare error: string;
  declare busy: boolean;

  override preinitialize(options: O): void {
    super.preinitialize(options);
    this.error = '';
    this.busy = false;
  }

  /** False when it was refused. */
  async run(call: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.error = '';
    if (this.el.isConnected) this.draw();
    try {
      await call();
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
    if (!this.destroyed) {
      this.draw();
      // The button that was pressed could not keep the focus while it was off, or is gone.
      if (!this.el.contains(document.activeElement))
        (this.el.querySelector<HTMLElement>('[data-first]') ?? this.el).focus();
    }
    return this.error === '';
  }
}
