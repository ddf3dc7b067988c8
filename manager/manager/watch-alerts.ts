import type { AlertNumbers } from '../alerts/alerts.ts';
import type { Metrics } from '../api/metrics/metrics.ts';
import type { WayReport } from '../intake/outside/ports.ts';

export interface AlertSources {
  alerts: { numbers(): AlertNumbers; rules: { list(): readonly { state: string; firing: readonly unknown[] }[] } };
  outside: { report(): WayReport[] };
}

/** The numbers of what comes in from outside, of rules, and of the messages they cause. */
export function watchAlerts(metrics: Metrics, { alerts, outside }: AlertSources): void {
  const { numbers, rules } = alerts;
  const byReason = (what: 'refused' | 'dropped') => () =>
    outside
      .report()
      .flatMap(({ way, [what]: reasons }) => reasons.map(({ reason, count }) => ({ labels: { way, reason }, count })));
  metrics.countsBy('webvirt_outside_lines_taken_total', 'Lines from outside that were taken.', ['way'], () =>
    outside.report().map(({ way, taken: count }) => ({ labels: { way }, count })),
  );
  metrics.countsBy(
    ...(['webvirt_outside_lines_refused_total', 'Lines from outside that could not be read.'] as const),
    ['way', 'reason'],
    byReason('refused'),
  );
  metrics.countsBy(
    ...(['webvirt_outside_lines_dropped_total', 'Lines from outside that were lost: too many.'] as const),
    ['way', 'reason'],
    byReason('dropped'),
  );
  metrics.countsBy('webvirt_outside_sent_back_total', 'Requests answered 429; nothing is lost.', ['way'], () =>
    outside.report().map(({ way, sentBack: count }) => ({ labels: { way }, count })),
  );

  metrics.gaugeBy('webvirt_rules', 'Rules by state.', 'state', () => {
    const counts: Record<string, number> = { ok: 0, firing: 0, off: 0 };
    for (const { state } of rules.list()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  });
  metrics.gauge('webvirt_rule_groups_firing', 'Groups for which a rule fires now.', () =>
    rules.list().reduce((sum, { firing }) => sum + firing.length, 0),
  );
  metrics.countsBy('webvirt_rule_events_total', 'What rules did: fired, ended, held-quiet.', ['what'], () =>
    Object.entries(numbers().events).map(([what, count]) => ({ labels: { what }, count })),
  );
  metrics.countsBy('webvirt_rule_evaluations_total', 'How often a line was held against a filter.', [], () => [
    { labels: {}, count: numbers().evaluated },
  ]);
  metrics.countsBy('webvirt_rule_lines_late_total', 'Lines that rules read late, from the store.', [], () => [
    { labels: {}, count: numbers().skipped },
  ]);
  metrics.gauge('webvirt_rule_lines_waiting', 'Lines that wait to be looked at by rules.', () => numbers().queuedLines);
  metrics.gauge('webvirt_rules_behind', 'Rules that read from the store what they missed.', () => numbers().behind);
  metrics.countsBy(
    ...(['webvirt_deliveries_total', 'Messages that ended (sent, failed), and tries that are repeated.'] as const),
    ['outcome'],
    () => {
      const { sent, failed, retried } = numbers().deliveries;
      return Object.entries({ sent, failed, retried }).map(([outcome, count]) => ({ labels: { outcome }, count }));
    },
  );
  metrics.gauge('webvirt_deliveries_waiting', 'Messages that wait to be sent.', () => numbers().deliveries.waiting);
}
