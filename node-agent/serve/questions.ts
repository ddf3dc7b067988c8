import { isWebvirtError } from '../../common/errors.ts';
import type { AgentServiceMessage, Question } from '../../common/wire/services.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';
import type { LinkService } from './services.ts';

/** Answers one kind of question. Throws (or rejects with) a `WebvirtError` to say no. */
export type Answerer = (args: Record<string, unknown>) => unknown;

/** Reads that the manager asks for and that are answered at once; nothing of them is journalled. */
export function createQuestions(
  answerers: Partial<Record<Question, Answerer>>,
  { log }: { log: Pick<Logger, 'error'> },
): LinkService {
  async function answer(what: Question, args: Record<string, unknown>): Promise<Pick<Answer, 'error' | 'data'>> {
    try {
      const answerer = answerers[what];
      if (answerer === undefined)
        return { error: { code: 'not-found', message: 'This agent does not know that question.' }, data: null };
      return { error: null, data: (await answerer(args)) ?? null };
    } catch (error) {
      if (isWebvirtError(error)) return { error: { code: error.code, message: error.publicMessage }, data: null };
      log.error('A question failed inside', { what, ...errorFields(error) });
      return { error: { code: 'internal', message: 'It failed inside the agent; its log says why.' }, data: null };
    }
  }

  return {
    takes: ['ask'],
    attach(send) {
      let open = true;
      return {
        take(message) {
          if (message.t !== 'ask') return;
          void answer(message.what, message.args).then((said) => {
            if (open) send({ t: 'answer', id: message.id, ...said });
          });
        },
        detach() {
          open = false;
        },
      };
    },
  };
}

type Answer = Extract<AgentServiceMessage, { t: 'answer' }>;
