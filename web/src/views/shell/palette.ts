import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { type IconName, icon } from '../../dom/icons.ts';
import type { Models } from '../../models/nouns.ts';
import type { Dialogs } from '../../models/page-deps.ts';
import { placeOfSearch, searchNote } from '../../models/saved-searches.ts';
import { DialogView } from '../base/dialog.ts';
import type { ViewOptions } from '../base/view.ts';

export interface PaletteOptions extends ViewOptions {
  models: Models;
  go: (place: string) => void;
  nextTheme: () => void;
  openHelp: () => void;
  dialogs: Pick<Dialogs, 'launch' | 'registerImage'>;
}

interface Entry {
  icon: IconName;
  name: string;
  note: string;
  run: () => void;
}

const MOST_SHOWN = 14;

/** Goes to anything by name: pages, hosts, instances, and a search in the lines. */
export class Palette extends DialogView<PaletteOptions> {
  declare typed: string;
  declare chosen: number;

  override preinitialize(options: PaletteOptions): void {
    super.preinitialize(options);
    this.className = 'dialog palette';
    this.typed = '';
    this.chosen = 0;
  }

  entries(): Entry[] {
    const { models, go, dialogs } = this.options;
    const word = this.typed.trim().toLowerCase();
    const all: Entry[] = [
      { icon: 'live', name: 'Live', note: 'every line, now', run: () => go('/live') },
      { icon: 'warn', name: 'Errors', note: 'live, errors only', run: () => go('/live?level=error') },
      { icon: 'hosts', name: 'Hosts', note: 'their state, and what scans found', run: () => go('/hosts') },
      { icon: 'instances', name: 'Instances', note: 'all of all hosts', run: () => go('/instances') },
      { icon: 'bell', name: 'Rules', note: 'be told when lines come, or none', run: () => go('/rules') },
      { icon: 'compute', name: 'Compute', note: 'SageMath and Python sessions', run: () => go('/compute') },
      { icon: 'ledger', name: 'Ledger', note: 'what came, what is missing and why', run: () => go('/ledger') },
      { icon: 'images', name: 'Base images', note: 'what new instances are made of', run: () => go('/images') },
      { icon: 'plus', name: 'Launch an instance', note: 'from a base image', run: () => dialogs.launch() },
      { icon: 'plus', name: 'Register a base image', note: 'a file in a pool', run: () => dialogs.registerImage() },
      { icon: 'jobs', name: 'Jobs', note: 'what was asked, and its outcome', run: () => go('/jobs') },
      { icon: 'auto', name: 'Colours', note: 'dark, light, as the system', run: () => this.options.nextTheme() },
      {
        icon: 'help',
        name: 'Keys and filters',
        note: 'what can be pressed and typed',
        run: () => this.options.openHelp(),
      },
      ...models.searches.map(
        (search): Entry => ({
          icon: 'star',
          name: search.get('name') ?? '',
          note: `saved search, ${searchNote(search.attributes)}`,
          run: () => go(placeOfSearch(search.attributes)),
        }),
      ),
      ...models.hosts.map(
        (host): Entry => ({
          icon: 'hosts',
          name: host.get('name')!,
          note: `host, ${host.get('state')}`,
          run: () => go(`/hosts/${host.id}`),
        }),
      ),
      ...models.instances.map(
        (instance): Entry => ({
          icon: 'instances',
          name: instance.get('name')!,
          note: `${instance.get('state')} on ${instance.get('hostName')}`,
          run: () => go(`/instances/${instance.id}`),
        }),
      ),
    ];
    if (word === '') return all.slice(0, MOST_SHOWN);
    const found = all
      .filter((entry) => entry.name.toLowerCase().includes(word))
      .sort((a, b) => a.name.toLowerCase().indexOf(word) - b.name.toLowerCase().indexOf(word))
      .slice(0, MOST_SHOWN - 1);
    const search = new URLSearchParams({ q: this.typed.trim() });
    return [
      ...found,
      {
        icon: 'search',
        name: `Lines with “${this.typed.trim()}”`,
        note: 'live search',
        run: () => go(`/live?${search}`),
      },
    ];
  }

  run(entry: Entry | undefined): void {
    this.close();
    entry?.run();
  }

  onKey(event: KeyboardEvent): void {
    const count = this.entries().length;
    if (event.key === 'ArrowDown') this.chosen = (this.chosen + 1) % count;
    else if (event.key === 'ArrowUp') this.chosen = (this.chosen + count - 1) % count;
    else if (event.key === 'Enter') this.run(this.entries()[this.chosen]);
    else return;
    event.preventDefault();
    if (this.destroyed) return;
    this.draw();
    this.el.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  override template(): TemplateResult {
    return html`<h2 id="dialog-title" class="visually-hidden">Go to anything</h2>
      <input class="form-control palette-input" data-first placeholder="Go to a host, an instance, a page, or search lines" aria-label="Go to anything" role="combobox"
        aria-expanded="true" aria-controls="palette-list" aria-activedescendant="palette-${this.chosen}" autocomplete="off" spellcheck="false"
        @input=${(event: Event) => {
          this.typed = (event.target as HTMLInputElement).value;
          this.chosen = 0;
          this.draw();
        }} @keydown=${(event: KeyboardEvent) => this.onKey(event)} />
      <ul id="palette-list" role="listbox" class="palette-list">${this.entries().map(
        (
          entry,
          index,
        ) => html`<li role="option" id="palette-${index}" aria-selected=${index === this.chosen ? 'true' : 'false'}
          @click=${() => this.run(entry)}>${icon(entry.icon)}<b>${visibleText(entry.name)}</b><span class="dim">${visibleText(entry.note)}</span></li>`,
      )}</ul>`;
  }
}
