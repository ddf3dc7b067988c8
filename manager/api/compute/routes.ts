import type { Compute } from '../../compute/compute.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import {
  cellAnswer,
  cellBody,
  interruptAnswer,
  LIMIT_CODE_BODY_BYTES,
  openBody,
  outputAnswer,
  outputQuery,
  runAnswer,
  runBody,
  serverListAnswer,
  sessionAnswer,
  sessionListAnswer,
  sessionParams,
} from './schema.ts';

export interface ComputeRouteDeps {
  compute: Pick<
    Compute,
    'servers' | 'list' | 'get' | 'open' | 'execute' | 'interrupt' | 'terminate' | 'output' | 'run'
  >;
}

const PLACING = ['no-kernel', 'no-capacity', 'not-contained', 'host-unreachable', 'not-found', 'ambiguous'] as const;
const STORING = ['op-id-reused', 'too-many-requests', 'store-unavailable'] as const;

/** Computations: which hosts can compute, sessions, their cells and their output. */
export function computeRoutes({ compute }: ComputeRouteDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/compute/servers',
      summary: 'List compute servers',
      purpose:
        'Lists what each host can compute: its kernels, its limits, and each wall of its containment as its self-test found it. A host where one does not hold is refused and says why.',
      access: 'member',
      answer: serverListAnswer,
      live: { on: ['compute', 'host'] },
      handle: () => compute.servers(),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/compute/sessions',
      summary: 'List sessions',
      purpose:
        'Lists computation sessions, the newest first. Ended ones stay for a day, with their output. Lost means that the host does not answer, so nobody knows; it goes on there.',
      access: 'member',
      answer: sessionListAnswer,
      live: { on: ['session'] },
      handle: () => compute.list(),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/compute/sessions/:id',
      summary: 'Read a session',
      purpose: 'Reads one session: its state, the cell that runs, what it uses, and how it died.',
      access: 'member',
      params: sessionParams,
      answer: sessionAnswer,
      live: { on: ['session'], touches: (event, { id }) => (event as { id: string }).id === id },
      handle: ({ params }) => compute.get(params.id),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/compute/sessions',
      summary: 'Open a session',
      purpose:
        'Opens a session on the least loaded host that has the kernel and room, or on the host you name. Answers at once; cells may be sent while it is still starting. The opId, where one is given, becomes the id of the session.',
      access: 'member',
      body: openBody,
      answer: sessionAnswer,
      status: 201,
      example: { kernel: 'sage', title: 'Elliptic curves' },
      errors: [...PLACING, ...STORING],
      handle: ({ body, principal }) => compute.open({ ...body, owner: principal!.name }),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/compute/sessions/:id',
      summary: 'Stop a session',
      purpose:
        'Ends a session with everything that runs in it; its output stays for a day. Where its host does not answer now, it is ended as soon as it does.',
      access: 'member',
      params: sessionParams,
      answer: sessionAnswer,
      status: 202,
      handle: ({ params, principal }) => compute.terminate(params.id, principal!.name),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/compute/sessions/:id/cells',
      summary: 'Run a cell',
      purpose:
        'Sends one piece of code to a session. Cells run one after another in the order in which they came. What they give comes over the socket, or is read with the output.',
      access: 'member',
      params: sessionParams,
      body: cellBody,
      bodyLimitBytes: LIMIT_CODE_BODY_BYTES,
      answer: cellAnswer,
      status: 202,
      example: { code: 'factor(2^64 + 1)' },
      errors: ['session-ended', 'host-unreachable', ...STORING],
      handle: ({ params, body, principal }) => compute.execute(params.id, { ...body, actor: principal!.name }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/compute/sessions/:id/interrupt',
      summary: 'Interrupt a session',
      purpose: 'Interrupts the cell that runs, as Ctrl-C does, and drops those that wait. The session stays.',
      access: 'member',
      params: sessionParams,
      answer: interruptAnswer,
      status: 202,
      errors: ['session-ended', 'host-unreachable'],
      handle({ params, principal }) {
        compute.interrupt(params.id, principal!.name);
        return {};
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/compute/sessions/:id/output',
      summary: 'Read the output of a session',
      purpose:
        'Reads what happened in a session, in order: code, output, results, errors, ends. Events are numbered from 0 without a hole; call again from next for more. Less than limit may come when the events are large.',
      access: 'member',
      params: sessionParams,
      query: outputQuery,
      answer: outputAnswer,
      handle: ({ params, query }) => compute.output(params.id, query.from, query.limit),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/compute/run',
      summary: 'Run code once',
      purpose:
        'Opens a session, runs one piece of code, waits for its result and ends the session. When it takes longer than timeoutMs the answer is running, and the result is read later from the output of the session.',
      access: 'member',
      body: runBody,
      bodyLimitBytes: LIMIT_CODE_BODY_BYTES,
      answer: runAnswer,
      example: { code: '2 + 3', kernel: 'python' },
      errors: [...PLACING, ...STORING],
      handle: ({ body, principal }) => compute.run({ ...body, owner: principal!.name }),
    }),
  ];
}
