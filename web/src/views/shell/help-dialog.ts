import { html, type TemplateResult } from 'lit-html';
import { icon } from '../../dom/icons.ts';
import { DialogView } from '../base/dialog.ts';

const KEYS: [string, [string, string][]][] = [
  [
    'Everywhere',
    [
      ['g l', 'Live'],
      ['g h', 'Hosts'],
      ['g i', 'Instances'],
      ['g b', 'Base images'],
      ['g c', 'Compute'],
      ['g r', 'Rules'],
      ['g e', 'Ledger of lines'],
      ['g j', 'Jobs'],
      ['n', 'Launch a new instance'],
      ['Ctrl K', 'Go to any host, instance or page'],
      ['/', 'Search'],
      ['t', 'Dark, light or as the system'],
      ['?', 'This help'],
      ['Esc', 'Close what is open'],
    ],
  ],
  [
    'Lines',
    [
      ['space', 'Pause; jump to now'],
      ['r', 'Go on reading where you paused'],
      ['Home  End', 'The oldest line here, the newest'],
      ['J', 'Jump to a time'],
      ['L', 'Back to live'],
      ['b', 'The bars above: arrows move, Shift chooses a range, Enter takes it; or drag'],
      ['f', 'Facets: values with counts'],
      ['s', 'Saved searches'],
      ['e', 'Export as NDJSON, CSV or text'],
      ['K', 'Keep the lines of a time'],
      ['F', 'The state of the fleet'],
      ['|', 'A second stream beside this one'],
      ['Y', 'Copy a link to this view'],
      ['v', 'View: columns, order, widths'],
      ['w  u', 'Wrap; fold repeated lines'],
      ['d  a', 'Density; times local, UTC, ago'],
      ['Esc', 'Close the line; cancel the search'],
    ],
  ],
  [
    'One line',
    [
      ['j  k', 'Next and previous line'],
      ['Enter', 'Open the line, with its fields'],
      ['x', 'The lines around it'],
      ['y', 'Copy a link to it'],
      ['c  C', 'Copy it as text, as JSON'],
      ['m', 'Make a rule of it'],
      ['+', 'Show each of the repeated lines'],
    ],
  ],
  [
    'Instances',
    [
      ['j  k', 'Next and previous row'],
      ['x', 'Mark the row'],
      ['Enter', 'Open the instance'],
      ['m', 'Move it to another host'],
    ],
  ],
  [
    'Computations',
    [
      ['Shift Enter', 'Run the cell, go to the next'],
      ['Ctrl Enter', 'Run the cell, stay'],
      ['Alt Enter', 'Run the cell, put a new one below'],
      ['Tab', 'Complete the word at the cursor'],
      ['Ctrl C  Ctrl C', 'Interrupt what runs'],
      ['Esc', 'Leave the cell: then j k move, Enter edits, b adds one below, i i interrupts'],
    ],
  ],
];
const FILTERS: [string, string][] = [
  ['disk error', 'both words, anywhere, in any case'],
  ['"timed out"', 'this phrase'],
  ['unit:web-1', 'a field with this value; also level, host, source, instance, job and every own field'],
  ['-dhcp', 'lines without it; works before every term'],
  ['/err(or)?\\b/', 'a regular expression (RE2)'],
];

/** Keys and the filter language on one page. */
export class HelpDialog extends DialogView {
  override template(): TemplateResult {
    return html`<header><h2 id="dialog-title">Keys and filters</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <div class="help-columns">
        ${KEYS.map(
          ([title, keys]) => html`<section><h3>${title}</h3><dl class="keys">
            ${keys.map(([key, what]) => html`<div><dt>${key.split('  ').map((one) => html`<kbd>${one}</kbd>`)}</dt><dd>${what}</dd></div>`)}
          </dl></section>`,
        )}
        <section class="help-wide"><h3>Filter</h3><dl class="keys filters">
          ${FILTERS.map(([filter, what]) => html`<div><dt><code>${filter}</code></dt><dd>${what}</dd></div>`)}
        </dl></section>
      </div>`;
  }
}
