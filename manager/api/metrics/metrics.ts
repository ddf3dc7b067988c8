import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A number and the values of its labels. */
export interface Counted<L extends string> {
  labels: Record<L, string>;
  count: number;
}

export interface Metrics {
  registry: Registry;
  /** One answer of the HTTP edge. */
  observeHttp(answer: { method: string; route: string; status: number; durationMs: number }): void;
  /** A number that is read when somebody asks. A reader that throws leaves its number out. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** The same, with one label: its value → number. */
  gaugeBy(name: string, help: string, label: string, read: () => Record<string, number>): void;
  /** Numbers that only grow since the start, by several labels; they are read when somebody asks. */
  countsBy<L extends string>(name: string, help: string, labels: readonly L[], read: () => Counted<L>[]): void;
  /** A number that only grows; returns how to add to it. */
  counter(name: string, help: string): (by?: number) => void;
  stop(): void;
}

/** What the manager tells Prometheus: its process, its HTTP edge, and what other parts hand in. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'webvirt_http_requests_total',
    help: 'Answers by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'webvirt_http_request_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  return {
    registry,
    observeHttp({ method, route, status, durationMs }) {
      // A method is text of a stranger: unknown ones share a label, or each would be kept for ever.
      const known = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'].includes(method) ? method : 'other';
      requests.inc({ route, method: known, status });
      seconds.observe({ route }, durationMs / 1000);
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          try {
            this.set(await read());
          } catch {
            this.remove();
          }
        },
      });
    },
    gaugeBy(name, help, label, read) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
        },
      });
    },
    countsBy(name, help, labels, read) {
      new Counter({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect() {
          this.reset();
          for (const one of read()) this.inc(one.labels, one.count);
        },
      });
    },
    counter(name, help) {
      const counter = new Counter({ name, help, registers });
      return (by = 1) => counter.inc(by);
    },
    stop: () => registry.clear(),
  };
}
