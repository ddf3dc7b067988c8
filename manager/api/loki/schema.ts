import { z } from 'zod';

/** `{streams: [{stream: {label: value}, values: [[nanoseconds, line, metadata?]]}]}`. */
export const lokiBody = z
  .record(z.string(), z.unknown())
  .describe(
    '`streams`: a list of {stream, values}; values are lists of time in nanoseconds as text, line, and metadata.',
  );
