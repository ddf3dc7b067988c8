import { z } from 'zod';
import { candidateSchema } from '../../../common/model/discovery.ts';

export const candidateParams = z.object({ id: z.string().regex(/^[0-9a-f.-]{1,64}$/) });
export const candidateListAnswer = z.array(candidateSchema);
export const candidateAnswer = candidateSchema;

export const enrolBody = z
  .strictObject({
    managerUrl: z
      .url({ protocol: /^https$/ })
      .max(255)
      // It becomes part of a line that root pastes into a shell.
      .regex(/^https:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/, 'must be like https://manager:4600')
      .optional()
      .describe('How the host reaches this manager, when that is not the address you use yourself.'),
  })
  .default({});

/** The only answer that ever holds the text of an enrolment token. */
export const enrolOfferAnswer = z.object({
  token: z.string().describe('The one-time token: shown this once.'),
  command: z.string().describe('The one line to run on the host, as root.'),
  expiresMs: z.number().describe('Until when the token is good, milliseconds since 1970.'),
});
