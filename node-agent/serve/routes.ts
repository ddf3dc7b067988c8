import { z } from 'zod';
import { hostFactsSchema, hostLoadSchema } from '../../common/model/host.ts';
import { agentInstanceSchema, uuidSchema } from '../../common/model/instance.ts';
import { opIdSchema } from '../../common/model/job.ts';
import { hostResourcesSchema } from '../../common/model/resources.ts';
import { commandSchema, epochRangeSchema, jobReportSchema, LINK_PATH } from '../../common/wire/link.ts';

/** One way into the agent. From this table come the router and the pages of the Node API. */
export interface NodeRoute {
  method: 'GET' | 'POST';
  /** With `:name` for parameters. */
  path: string;
  summary: string;
  purpose: string;
  /** `anyone`: before enrolment only. `manager`: with the certificate of this agent's manager. */
  access: 'anyone' | 'manager';
  params?: z.ZodObject;
  body?: z.ZodType;
  /** Shape of `data` in the envelope; null for the link, which is a WebSocket. */
  answer: z.ZodType | null;
  /** Status of success. */
  status: number;
  /** Catalogue codes that the call may answer beside `forbidden` and `not-enrolled`. */
  errors?: readonly string[];
}

export const helloSchema = z.object({
  product: z.literal('webvirt-agent'),
  version: z.string(),
  id: z.string().describe('First 32 hex digits of the SHA-256 of its public key; the TLS handshake proves the key.'),
  state: z.literal('unenrolled'),
  name: z.string().describe('Host name, as the host calls itself.'),
});

export const statusSchema = z.object({
  id: z.string(),
  state: z.enum(['unenrolled', 'enrolled']),
  version: z.string(),
  name: z.string(),
  port: z.number().int(),
  startedMs: z.number(),
  managerUrl: z.string().nullable(),
  enrolledMs: z.number().nullable(),
  link: z.object({ connected: z.boolean(), sinceMs: z.number().nullable() }),
  libvirtAnswers: z.boolean(),
  spool: z.object({ lines: z.number().int(), bytes: z.number().int() }),
});
export type AgentStatus = z.output<typeof statusSchema>;

/** To add a call: its row here, its handler in `handlers.ts`, a test in `server.test.ts`. */
export const NODE_API = [
  {
    method: 'GET',
    path: '/hello',
    summary: 'Say who is there',
    purpose:
      'The one answer of an agent that has no manager yet, for those who look for agents. At most 512 bytes, five times ' +
      'a second. An enrolled agent refuses it like everything else without its manager’s certificate.',
    access: 'anyone',
    answer: helloSchema,
    status: 200,
    errors: ['too-many-requests'],
  },
  {
    method: 'GET',
    path: '/v1/status',
    summary: 'State of the agent',
    purpose: 'Tells how the agent itself is: its version, its link to the manager, and how many lines wait.',
    access: 'manager',
    answer: statusSchema,
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/host',
    summary: 'The host and its load',
    purpose: 'Facts of the host, and the last sample of its load (null before the first).',
    access: 'manager',
    answer: z.object({ host: hostFactsSchema, load: hostLoadSchema.nullable() }),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/resources',
    summary: 'What the host has for instances',
    purpose:
      'Pools with their free space, base images, networks and bridges, and the memory that a new instance could be given. ' +
      'Read when it is asked; networks and counts of clones are at most a minute old.',
    access: 'manager',
    answer: hostResourcesSchema,
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/instances',
    summary: 'All instances',
    purpose: 'Every instance of the host with its state, from memory: the agent keeps it right by libvirt’s events.',
    access: 'manager',
    answer: z.array(agentInstanceSchema),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/instances/:uuid',
    summary: 'One instance',
    purpose: 'One instance by libvirt’s UUID. Names are never taken: a name can look like another instance’s id.',
    access: 'manager',
    params: z.object({ uuid: uuidSchema }),
    answer: agentInstanceSchema,
    status: 200,
    errors: ['bad-request', 'not-found'],
  },
  {
    method: 'GET',
    path: '/v1/jobs',
    summary: 'Operations',
    purpose: 'Operations that run, and outcomes that the manager has not confirmed yet.',
    access: 'manager',
    answer: z.array(jobReportSchema),
    status: 200,
  },
  {
    method: 'GET',
    path: '/v1/jobs/:opId',
    summary: 'One operation',
    purpose: 'What the journal has of one operation, also long after it ended.',
    access: 'manager',
    params: z.object({ opId: opIdSchema }),
    answer: jobReportSchema,
    status: 200,
    errors: ['bad-request', 'not-found'],
  },
  {
    method: 'GET',
    path: '/v1/spool',
    summary: 'Lines that wait',
    purpose: 'What the spool holds until the manager has stored it: by epoch the numbers `first` to `next` - 1.',
    access: 'manager',
    answer: z.object({
      lines: z.number().int(),
      bytes: z.number().int(),
      capBytes: z.number(),
      epochs: z.array(epochRangeSchema),
    }),
    status: 200,
  },
  {
    method: 'POST',
    path: '/v1/commands',
    summary: 'Run an operation',
    purpose:
      'Journals the operation, syncs the journal, and runs it; the answer tells that it was accepted. The same opId again ' +
      'answers what became of it and does nothing. The outcome comes over the link and is here under `/v1/jobs/:opId`.',
    access: 'manager',
    body: commandSchema,
    answer: jobReportSchema,
    status: 202,
    errors: ['bad-request', 'op-id-reused', 'journal-full', 'too-large', 'unsupported-media-type'],
  },
  {
    method: 'GET',
    path: LINK_PATH,
    summary: 'The link',
    purpose:
      'A WebSocket that the manager keeps open: lines, state and outcomes one way, commands and acknowledgements the ' +
      'other. A second one is let in when the first is closed or no longer answers.',
    access: 'manager',
    answer: null,
    status: 101,
  },
] as const satisfies readonly NodeRoute[];

type CallOf<R> = R extends { method: infer M extends string; path: infer P extends string } ? `${M} ${P}` : never;

/** `GET /v1/status` and so on: what a handler is found by. */
export type NodeCall = CallOf<(typeof NODE_API)[number]>;
