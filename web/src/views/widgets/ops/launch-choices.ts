import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { bytesText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { BaseChoice, HostChoice } from '../../../models/launch-plan.ts';
import { choiceList } from './choice.ts';

const HOSTS_NAMED = 3;

function places(names: readonly string[]): string {
  const told = names
    .slice(0, HOSTS_NAMED)
    .map((name) => visibleText(name))
    .join(', ');
  return names.length > HOSTS_NAMED ? `${told} and ${names.length - HOSTS_NAMED} more` : told;
}

function section(id: string, label: string, fault: string | undefined, list: TemplateResult): TemplateResult {
  return html`<fieldset class="field ${fault ? 'is-bad' : ''}" id=${id}><legend class="field-label">${label}</legend>${list}
    ${fault ? html`<p class="field-note" role="alert">${icon('warn')} ${visibleText(fault)}</p>` : null}</fieldset>`;
}

/** The base images of the fleet by name, each with its size and the hosts that have it. */
export function baseList(
  bases: readonly BaseChoice[],
  chosen: string,
  fault: string | undefined,
  choose: (name: string) => void,
): TemplateResult {
  return section(
    'launch-base',
    'Base image',
    fault,
    choiceList(
      'base',
      'Base image',
      bases.map((base) => ({
        value: base.name,
        title: visibleText(base.name),
        note:
          base.fault === null
            ? `on ${places(base.hostNames)}`
            : html`<span class="tone-warn">${icon('warn')} ${visibleText(base.fault)}</span>`,
        end: html`<b>${bytesText(base.virtualBytes)}</b> <small>${base.format}</small>`,
        disabled: base.fault !== null,
      })),
      chosen,
      choose,
    ),
  );
}

/** The manager's own choice first, then every host that has the image, by name: its free room, or why not. */
export function hostList(
  hosts: readonly HostChoice[],
  chosen: string,
  likeliest: HostChoice | null,
  fault: string | undefined,
  choose: (id: string) => void,
): TemplateResult {
  const now = likeliest === null ? 'no host can take it now' : `most free memory: now ${visibleText(likeliest.name)}`;
  return section(
    'launch-host',
    'Host',
    fault,
    choiceList(
      'host',
      'Host',
      [
        { value: '', title: 'Choose for me', note: now },
        ...hosts.map((host) => ({
          value: host.id,
          title: visibleText(host.name),
          note:
            host.why !== null
              ? html`<span class="tone-warn">${icon('warn')} ${visibleText(host.why)}</span>`
              : host.pool === null
                ? ''
                : `${bytesText(host.pool.freeBytes)} disk free in ${visibleText(host.pool.name)}`,
          end:
            host.freeMemoryBytes === null
              ? null
              : html`<b>${bytesText(host.freeMemoryBytes)}</b> <small>memory free</small>`,
          disabled: host.why !== null,
        })),
      ],
      chosen,
      choose,
    ),
  );
}
