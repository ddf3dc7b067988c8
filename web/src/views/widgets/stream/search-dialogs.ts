import { html, type TemplateResult } from 'lit-html';
import type { SavedSearch } from '../../../../../common/model/search.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { dayTimeText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { filterOf, type LogParams } from '../../../models/log-filter.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { placeOfSearch, searchNote } from '../../../models/saved-searches.ts';
import { AskingDialog } from '../../base/asking-dialog.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';

export interface SearchesDialogOptions extends ViewOptions {
  deps: Pick<PageDeps, 'models' | 'searches' | 'go' | 'look'>;
  params: LogParams;
}

/** Saved searches: to go to one, to keep the present filter as one, to share or remove one's own. */
export class SearchesDialog extends AskingDialog<SearchesDialogOptions> {
  override preinitialize(options: SearchesDialogOptions): void {
    super.preinitialize(options);
    this.className = 'dialog searches-dialog';
  }

  override initialize(): void {
    this.listenTo(this.options.deps.models.searches, 'update change loaded', () => this.draw());
  }

  override template(): TemplateResult {
    const { models, searches } = this.options.deps;
    const all = models.searches.map((model) => model.attributes);
    const part = (title: string, list: Partial<SavedSearch>[]) =>
      list.length === 0
        ? null
        : html`<h3>${title}</h3><ul class="search-list">${list.map((one) => this.search(one, one.owner === searches.me))}</ul>`;
    return html`<header><h2 id="dialog-title">Saved searches</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      ${all.length === 0 ? html`<p class="dim">None yet. Give the present filter a name, and it stands here, in the palette, and for everyone when it is shared.</p>` : null}
      ${part(
        'Yours',
        all.filter(({ owner }) => owner === searches.me),
      )}
      ${part(
        'Shared by others',
        all.filter(({ owner }) => owner !== searches.me),
      )}
      <form class="search-save" @submit=${(event: SubmitEvent) => void this.save(event)}>
        <h3>Keep the present filter</h3>
        <p class="search-note">${visibleText(searchNote({ query: filterOf(this.options.params) as SavedSearch['query'] }))}</p>
        <div class="search-fields"><input class="form-control" data-first name="name" required maxlength="100" placeholder="Name" aria-label="Name of the search" autocomplete="off" />
          <label><input type="checkbox" class="form-check-input" name="shared" /> for everyone</label>
          <button class="btn btn-accent" ?disabled=${this.busy}>Save</button></div>
        ${this.error === '' ? null : html`<p class="form-error" role="alert">${this.error}</p>`}
      </form>`;
  }

  search(one: Partial<SavedSearch>, own: boolean): TemplateResult {
    const { deps } = this.options;
    const place = placeOfSearch(one);
    return html`<li>
      <a href="#${place}" data-first @click=${() => this.close()}><b>${visibleText(one.name ?? '')}</b><span class="search-note">${visibleText(searchNote(one))}</span></a>
      ${
        own
          ? html`<button type="button" class="btn btn-sm btn-quiet" aria-pressed=${one.shared ? 'true' : 'false'} title="Seen by everyone, or by you alone" @click=${() =>
              void this.run(() =>
                deps.searches.change(one.id!, {
                  name: one.name!,
                  query: one.query!,
                  columns: one.columns ?? [],
                  shared: !one.shared,
                }),
              )}>${one.shared ? 'Shared' : 'Private'}</button>
            <button type="button" class="btn btn-icon btn-sm" title="Remove" aria-label="Remove ${visibleText(one.name ?? '')}" @click=${() => void this.run(() => deps.searches.remove(one.id!))}>${icon('bin')}</button>`
          : html`<span class="dim">${visibleText(one.owner ?? '')}</span>`
      }
    </li>`;
  }

  async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const { deps, params } = this.options;
    const columns = deps.look.state.columns.map(({ field }) => field);
    const draft = {
      name: String(given.get('name')).trim(),
      shared: given.get('shared') !== null,
      query: filterOf(params) as SavedSearch['query'],
      columns,
    };
    if (await this.run(() => deps.searches.save(draft))) form.reset();
  }
}

export interface JumpDialogOptions extends ViewOptions {
  nowMs: () => number;
  /** A moment was chosen. */
  onJump: (tsMs: number) => void;
}

const AGO: [string, number][] = [
  ['5 minutes ago', 5],
  ['15 minutes ago', 15],
  ['1 hour ago', 60],
  ['6 hours ago', 360],
  ['yesterday, this time', 1_440],
];

/** Goes to a time: typed, or so long ago. */
export class JumpDialog extends DialogView<JumpDialogOptions> {
  override preinitialize(options: JumpDialogOptions): void {
    super.preinitialize(options);
    this.className = 'dialog jump-dialog';
  }

  override template(): TemplateResult {
    const now = dayTimeText(this.options.nowMs());
    return html`<header><h2 id="dialog-title">Jump to a time</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <form class="jump-form" @submit=${(event: SubmitEvent) => this.jump(event)}>
        <input class="form-control" data-first type="datetime-local" step="1" name="at" required aria-label="Local date and time" .value=${now.replace(' ', 'T')} />
        <button class="btn btn-accent">Jump</button></form>
      <div class="jump-ago">${AGO.map(([name, minutes]) => html`<button type="button" class="btn btn-sm btn-quiet" @click=${() => this.go(this.options.nowMs() - minutes * 60_000)}>${name}</button>`)}</div>
      <p class="dim">Your local time. The address afterwards is a link to that moment.</p>`;
  }

  jump(event: SubmitEvent): void {
    event.preventDefault();
    const tsMs = Date.parse(String(new FormData(event.target as HTMLFormElement).get('at')));
    if (Number.isFinite(tsMs)) this.go(tsMs);
  }

  go(tsMs: number): void {
    this.close();
    this.options.onJump(Math.floor(tsMs));
  }
}
