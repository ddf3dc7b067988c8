import { html, nothing, type TemplateResult } from 'lit-html';
import { logo } from '../../dom/icons.ts';
import { View, type ViewOptions } from '../base/view.ts';

export interface SignInOptions extends ViewOptions {
  /** Signs in; rejects with an error whose message is for people. */
  signIn: (email: string, password: string, remember: boolean) => Promise<void>;
  /** Why the form is shown again, such as an ended session. */
  reason: string | null;
}

/** The door. What the visitor wanted to see stays in the address and opens after signing in. */
export class SignInPage extends View<SignInOptions> {
  declare error: string | null;
  declare busy: boolean;

  override preinitialize(options: SignInOptions): void {
    super.preinitialize(options);
    this.tagName = 'main';
    this.className = 'sign-in';
    this.error = null;
    this.busy = false;
  }

  override template(): TemplateResult {
    const { reason } = this.options;
    return html`<form class="sign-in-card" @submit=${(event: SubmitEvent) => void this.submit(event)}>
      <div class="sign-in-brand">${logo()}<span>WebVirt</span></div>
      <p class="sign-in-claim">Every host, every line, now.</p>
      ${reason !== null && this.error === null ? html`<p class="form-note" role="status">${reason}</p>` : null}
      ${this.error === null ? null : html`<p class="form-error" role="alert" id="sign-in-error">${this.error}</p>`}
      <label class="form-label" for="email">E-mail</label>
      <input class="form-control" id="email" name="email" type="email" autocomplete="username" required
        aria-invalid=${this.error === null ? 'false' : 'true'} aria-describedby=${this.error === null ? nothing : 'sign-in-error'} />
      <label class="form-label" for="password">Password</label>
      <input class="form-control" id="password" name="password" type="password" autocomplete="current-password" required
        aria-invalid=${this.error === null ? 'false' : 'true'} aria-describedby=${this.error === null ? nothing : 'sign-in-error'} />
      <label class="check"><input type="checkbox" name="remember" /> <span>Keep me signed in on this computer</span></label>
      <button class="btn btn-accent btn-wide" type="submit" ?disabled=${this.busy}>${this.busy ? 'Signing in…' : 'Sign in'}</button>
      <p class="sign-in-hint">First start? The password stands in the terminal that runs <code>npm start</code>.</p>
    </form>`;
  }

  async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    this.busy = true;
    this.error = null;
    this.draw();
    try {
      await this.options.signIn(
        String(data.get('email')).trim(),
        String(data.get('password')),
        data.get('remember') !== null,
      );
    } catch (error) {
      this.busy = false;
      this.error = error instanceof Error ? error.message : String(error);
      this.draw();
      form.querySelector<HTMLInputElement>('#password')?.select();
    }
  }
}
