import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import type { Destination, RuleDraft } from '../../../../../common/model/rule.ts';
import { LEVELS, SOURCES } from '../../../../../common/model/words.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { withinText } from '../../../models/rules.ts';
import { field } from '../ops/op-dialog.ts';

export interface RuleFormParts {
  deps: PageDeps;
  draft: RuleDraft;
  destinations: readonly Destination[];
  /** What is wrong with the filter. */
  queryFault: string | null;
  change(next: Partial<RuleDraft>): void;
}

const TIMES_MS = [10_000, 60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000];
const QUIET_MS = [0, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000];
const SEVERITIES = ['info', 'warning', 'critical'] as const;

function times(id: string, value: number, choices: readonly number[], set: (ms: number) => void): TemplateResult {
  const all = choices.includes(value) ? choices : [...choices, value].sort((a, b) => a - b);
  return html`<select id=${id} class="form-select" @change=${(event: Event) => set(Number((event.target as HTMLSelectElement).value))}>
    ${all.map((ms) => html`<option value=${ms} .selected=${live(ms === value)}>${ms === 0 ? 'none' : withinText(ms)}</option>`)}</select>`;
}

function choice(
  id: string,
  value: string,
  choices: readonly (readonly [string, string])[],
  set: (value: string) => void,
) {
  return html`<select id=${id} class="form-select" @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>
    ${choices.map(([one, label]) => html`<option value=${one} .selected=${live(one === value)}>${label}</option>`)}</select>`;
}

/** The fields of a rule, in the order of the sentence that it is. */
export function ruleForm({ deps, draft, destinations, queryFault, change }: RuleFormParts): TemplateResult {
  const { condition, query, groupBy } = draft;
  const setQuery = (key: keyof RuleDraft['query'], value: string) => {
    const { [key]: _old, ...rest } = query;
    const next = value === '' && key !== 'q' ? rest : { ...rest, [key]: value };
    change({ query: next as RuleDraft['query'] });
  };
  const hosts = deps.models.hosts.map((host) => [String(host.id), visibleText(host.get('name')!)] as const);
  const isField = groupBy !== null && groupBy !== 'host' && groupBy !== 'instance';
  return html`
    ${field('rule-name', 'Name', html`<input id="rule-name" class="form-control" maxlength="100" autocomplete="off" placeholder="Disk errors" .value=${live(draft.name)} @input=${(event: Event) => change({ name: (event.target as HTMLInputElement).value })} />`)}
    ${field('rule-q', 'Lines that match', html`<input id="rule-q" class="form-control rule-q" maxlength="2000" autocomplete="off" spellcheck="false" placeholder='"I/O error" -unit:smartd  or  /timed? out/' .value=${live(query.q)} @input=${(event: Event) => setQuery('q', (event.target as HTMLInputElement).value)} />`, { fault: queryFault ?? undefined, hint: html`The language of the live view. <a href="#/live?${new URLSearchParams(liveParams(query))}">Look at these lines</a>` })}
    <div class="rule-fields">
      ${field(
        'rule-level',
        'Level',
        choice(
          'rule-level',
          query.level ?? '',
          [['', 'any'], ...LEVELS.map((level) => [level, level === 'error' ? 'error' : `${level} or worse`] as const)],
          (value) => setQuery('level', value),
        ),
      )}
      ${field(
        'rule-host',
        'Host',
        choice(
          'rule-host',
          query.host ?? '',
          [
            ['', 'any'],
            ...hosts,
            ...(query.host && !hosts.some(([id]) => id === query.host) ? [[query.host, query.host] as const] : []),
          ],
          (value) => setQuery('host', value),
        ),
      )}
      ${field(
        'rule-source',
        'Source',
        choice(
          'rule-source',
          query.source ?? '',
          [['', 'any'], ...SOURCES.map((source) => [source, source] as const)],
          (value) => setQuery('source', value),
        ),
      )}
    </div>
    ${narrowed(deps, query, (key) => setQuery(key, ''))}
    <div class="segments" role="radiogroup" aria-label="Condition">
      <button type="button" class="seg" role="radio" aria-checked=${condition.kind === 'lines'} @click=${() => change({ condition: { kind: 'lines', count: 1, withinMs: 60_000 } })}>When they come</button>
      <button type="button" class="seg" role="radio" aria-checked=${condition.kind === 'silence'} @click=${() => change({ condition: { kind: 'silence', withinMs: 600_000 } })}>When none comes</button>
    </div>
    <div class="rule-fields">
      ${condition.kind === 'lines' ? field('rule-count', 'At least', html`<input id="rule-count" class="form-control" type="number" min="1" max="1000000" .value=${live(String(condition.count))} @input=${(event: Event) => change({ condition: { ...condition, count: Math.max(1, Math.floor(Number((event.target as HTMLInputElement).value)) || 1) } })} />`, { hint: 'lines' }) : null}
      ${field(
        'rule-within',
        condition.kind === 'lines' ? 'Within' : 'For',
        times('rule-within', condition.withinMs, TIMES_MS, (withinMs) =>
          change({ condition: { ...condition, withinMs } }),
        ),
      )}
      ${field(
        'rule-group',
        'For each',
        choice(
          'rule-group',
          isField ? 'field' : (groupBy ?? ''),
          [
            ['', 'all together'],
            ['host', 'host'],
            ['instance', 'instance'],
            ['field', 'value of a field…'],
          ],
          (value) => change({ groupBy: value === '' ? null : value === 'field' ? 'unit' : value }),
        ),
      )}
      ${isField ? field('rule-field', 'Field', html`<input id="rule-field" class="form-control" maxlength="64" spellcheck="false" autocomplete="off" .value=${live(groupBy)} @input=${(event: Event) => change({ groupBy: (event.target as HTMLInputElement).value })} />`) : null}
    </div>
    <div class="rule-fields">
      ${field(
        'rule-severity',
        'Severity',
        choice(
          'rule-severity',
          draft.severity,
          SEVERITIES.map((one) => [one, one] as const),
          (value) => change({ severity: value as RuleDraft['severity'] }),
        ),
      )}
      ${field(
        'rule-quiet',
        'Then quiet for',
        times('rule-quiet', draft.quietMs, QUIET_MS, (quietMs) => change({ quietMs })),
        { hint: 'per group' },
      )}
    </div>
    <fieldset class="rule-destinations"><legend class="field-label">Tell</legend>
      ${destinations.map(
        ({ id, name, kind }) =>
          html`<label><input type="checkbox" .checked=${live(draft.destinations.includes(id))} @change=${(event: Event) => change({ destinations: (event.target as HTMLInputElement).checked ? [...draft.destinations, id] : draft.destinations.filter((one) => one !== id) })} /> ${visibleText(name)} <span class="tag">${kind}</span></label>`,
      )}
      ${destinations.length === 0 ? html`<p class="dim">Nobody yet: <a href="#/rules?tab=destinations">add a destination</a>. The console and the log say it in any case.</p>` : null}
      ${draft.destinations.length === 0 ? null : html`<label><input type="checkbox" .checked=${live(draft.tellEnd)} @change=${(event: Event) => change({ tellEnd: (event.target as HTMLInputElement).checked })} /> also when it is over</label>`}
    </fieldset>`;
}

/** Parts of the filter that have no field here, such as the instance of a line that it was made from. */
function narrowed(
  deps: PageDeps,
  query: RuleDraft['query'],
  remove: (key: keyof RuleDraft['query']) => void,
): TemplateResult | null {
  const parts = (['instance', 'job', 'session'] as const).filter((key) => query[key] !== undefined);
  if (parts.length === 0) return null;
  return html`<p class="rule-narrowed"><span class="dim">Only of</span> ${parts.map((key) => {
    const value = query[key] ?? '';
    const name = key === 'instance' ? (deps.models.instances.get(value)?.get('name') ?? value) : value;
    return html`<span class="tag">${key} ${visibleText(name)} <button type="button" class="btn-bare" aria-label="Of any ${key}" title="Of any ${key}" @click=${() => remove(key)}>×</button></span> `;
  })}</p>`;
}

function liveParams(query: RuleDraft['query']): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== '')) as Record<
    string,
    string
  >;
}
