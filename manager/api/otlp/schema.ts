import { z } from 'zod';

/** An ExportLogsServiceRequest. Looked at record by record: what is wrong with one is said of that one. */
export const otlpBody = z
  .record(z.string(), z.unknown())
  .describe('ExportLogsServiceRequest in JSON: lowerCamelCase, ids in hexadecimal, times as text of nanoseconds.');
