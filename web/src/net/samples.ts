import type { SampleSeries } from '../../../common/model/sample.ts';
import type { HostModel, InstanceModel, Models } from '../models/nouns.ts';
import type { SampleHistory } from '../models/sample-history.ts';
import type { Api } from './api.ts';
import { rowsOf } from './list-sync.ts';

const HISTORY_MS = 15 * 60_000;

/**
 * Fills the sparklines: once from the manager's short history, then from the loads that hosts and instances carry
 * as they change.
 */
export function followSamples(deps: { api: Api; models: Models; history: SampleHistory; nowMs: () => number }): void {
  const { models, history } = deps;
  const addLoad = (model: HostModel | InstanceModel) => {
    const { load } = model.attributes;
    if (load) history.add(String(model.id), load.tsMs, load.cpuRatio, load.memoryUsedBytes);
  };
  for (const list of [models.hosts, models.instances]) {
    list.on('add change:load', addLoad);
    list.on('remove', (model: HostModel) => history.forget(String(model.id)));
  }
  async function loadKind(kind: 'host' | 'instance'): Promise<void> {
    const query = new URLSearchParams({ kind, from: String(Math.floor(deps.nowMs() - HISTORY_MS)), points: '60' });
    const answer = await deps.api.get<unknown>(`/api/v1/samples?${query}`).catch(() => null);
    for (const series of rowsOf(answer) as unknown as SampleSeries[]) history.load(series);
    models[kind === 'host' ? 'hosts' : 'instances'].trigger('samples');
  }
  // The rows come first: a short history of a thousand instances is more work for the manager than their list.
  models.hosts.once('loaded', () => void loadKind('host'));
  models.instances.once('loaded', () => void loadKind('instance'));
}
