import { expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import { ruleDraftSchema } from '../../common/model/rule.ts';
import { rowOfLine } from './line-row.ts';
import { replay } from './preview.ts';
import { createChannel, createRuleWatch } from './rule-watch.ts';
import type { Happening } from './window.ts';

const HOSTS = ['h1', 'h2', 'h3'];
const known = {
  hosts: () => HOSTS.map((name) => ({ id: `id-${name}`, name })),
  instances: () => HOSTS.map((host, i) => ({ id: `i${i}`, name: `vm${i}`, host })),
};
const START_MS = 1_700_000_000_000;

it('the preview says of silence what the rule tells second by second (120 random rules)', async () => {
  let seed = 11;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let compared = 0;
  for (let n = 0; n < 120; n += 1) {
    const draft = ruleDraftSchema.parse({
      ...{ name: `rule ${n}`, quietMs: random(3) * 60_000, groupBy: [null, 'host', 'instance', 'code'][n % 4] },
      condition: { kind: 'silence', withinMs: 5_000 + random(60_000) },
      query: random(3) === 0 ? { q: '', host: HOSTS[random(3)] } : { q: ['', 'disk'][random(2)] },
    });
    const channel = createChannel(draft.query);
    const rule = { ...draft, id: `r${n}`, owner: '', createdMs: 0, changedMs: 0 };
    const watch = createRuleWatch(rule, { position: 0, lastFiredMs: null, watches: [] });
    const told: Happening[] = [];
    const seen: Line[] = [];
    // As the engine does it: lines as they come, and a look at the clock each second.
    for (let ms = 0; ms <= 600_000; ms += 1_000) {
      const clocks = (at: number) => ({ nowMs: START_MS + at, upMs: 77_000 + at });
      told.push(...watch.tick(clocks(ms), known));
      for (let i = random(40) === 0 ? 1 + random(3) : 0; i > 0; i -= 1) {
        const at = ms + 500;
        const host = HOSTS[random(3)]!;
        const line = {
          ...{
            id: `a.e.${seen.length}`,
            tsMs: START_MS + at,
            receivedMs: START_MS + at,
            level: 'info',
            source: 'file',
          },
          ...{ host, hostName: host, agent: host, instance: `i${random(3)}`, message: ['disk', 'net'][random(2)] },
          fields: { code: random(2) },
        } as unknown as Line;
        const row = rowOfLine(line);
        if (!channel.passesHost({ host, hostName: host }) || !channel.matches(row)) continue;
        seen.push(line);
        told.push(...watch.see(row, line.tsMs, { id: line.id, message: () => line.message }, clocks(at)));
      }
    }
    const range = { fromMs: START_MS, toMs: START_MS + 600_000 };
    const found = await replay(draft, seen, range, known);
    const shown = (list: Happening[]) =>
      list
        .filter(({ what }) => what === 'fired')
        .map(({ tsMs, group }) => `${tsMs} ${group}`)
        .sort();
    expect(shown(found), JSON.stringify(draft)).toEqual(shown(told));
    compared += shown(told).length;
  }
  expect(compared).toBeGreaterThan(500);
});
