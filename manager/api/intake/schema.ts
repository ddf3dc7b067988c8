import { z } from 'zod';

const count = z.number().int();
const reasons = z.array(z.object({ reason: z.string(), count }));
const tally = {
  taken: count.describe('Lines that were stored, or wait to be.'),
  refused: reasons.describe('Lines that could not be read, by reason.'),
  dropped: reasons.describe('Lines that were lost because they were too many; a gap record stands for them.'),
  sentBack: count.describe('Requests that were answered 429: their lines are with the sender.'),
  lastSeenMs: z.number().nullable(),
};

export const intakeAnswer = z.array(
  z.object({
    way: z.enum(['http', 'otlp', 'loki', 'syslog-udp', 'syslog-tcp', 'syslog-tls']),
    listens: z.string().nullable().describe('Where it is reached: an address or a path; null: it is off.'),
    ...tally,
    senders: z.array(z.object({ id: z.string(), name: z.string(), ...tally })).describe('The ones heard last first.'),
  }),
);
