import type { JobReport } from '../../common/wire/link.ts';
import type { CommandDeps } from './command-hypervisor.ts';

type Handler = (report: JobReport) => void;

/** Who is told of jobs. One that fails does not keep the others from hearing. */
export function createReportHandlers(log: CommandDeps['log']): { on(handler: Handler): () => void; tell: Handler } {
  const handlers = new Set<Handler>();
  return {
    on(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    tell(report) {
      for (const handler of [...handlers]) {
        try {
          handler(report);
        } catch (error) {
          log.error('a handler of job reports failed', { job: report.opId, reason: String(error) });
        }
      }
    },
  };
}
