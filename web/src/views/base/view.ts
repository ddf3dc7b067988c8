import Backbone from 'backbone';
import { render, type TemplateResult } from 'lit-html';
import { cancelFrame, inFrame } from '../../dom/frame.ts';

export interface ViewOptions extends Backbone.ViewOptions {
  /** The view that owns this one; null only for the shell. */
  parent: View | null;
}

/**
 * A view of the console: names its parent, owns its children, draws with an escaping template, at most once a frame.
 *
 * No class that extends this one may have initialised fields: they would overwrite what Backbone's constructor has
 * set, silently. State is declared with `declare` and set in `preinitialize()`.
 */
export abstract class View<O extends ViewOptions = ViewOptions> extends Backbone.View {
  declare options: O;
  declare children: Set<View>;
  declare parentView: View | null;
  declare destroyed: boolean;
  declare disposers: (() => void)[];

  constructor(options: O) {
    super(options);
  }

  override preinitialize(options: O): void {
    this.options = options;
    this.children = new Set();
    this.disposers = [];
    this.destroyed = false;
    this.parentView = options.parent;
    this.parentView?.children.add(this);
  }

  /** What stands in the element; views that keep their own DOM override `draw` instead. */
  template(): TemplateResult | null {
    return null;
  }

  /** Draws now. */
  draw(): this {
    const content = this.template();
    if (content !== null && !this.destroyed) render(content, this.el);
    return this;
  }

  override render(): this {
    return this.draw();
  }

  /** Draws in the next animation frame, however often it is asked for. */
  redraw(): void {
    if (!this.destroyed) inFrame(this, () => !this.destroyed && this.draw());
  }

  /** Registers something to undo when the view goes. */
  cleanup(dispose: () => void): void {
    this.disposers.push(dispose);
  }

  /** Redraws every `ms` while the view lives: for ages and rates. */
  every(ms: number, job: () => void): void {
    const timer = setInterval(job, ms);
    this.cleanup(() => clearInterval(timer));
  }

  /** Ends the view and all its children: listeners, timers, element. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    for (const child of [...this.children]) child.destroy();
    for (const dispose of this.disposers.reverse()) dispose();
    cancelFrame(this);
    this.parentView?.children.delete(this);
    this.remove();
  }
}
