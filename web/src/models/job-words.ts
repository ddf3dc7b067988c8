/** What to try after an operation of a kind has failed, beside what its error says. */
const TRIES: Record<string, string> = {
  migrate:
    'Both hosts were looked at: the instance runs where its page says. The lines below tell what libvirt said on either side; ask for the checks again before the next try.',
  launch: 'The lines below tell which step failed, and what became of what had been made.',
  delete: 'Look at the page of the instance for what is left of it; deleting it again is safe.',
  'register-image': 'Compare pool, path and format with the file on the host.',
};

/** Advice for a job that did not end well, or null when there is none of this kind. */
export function jobAdvice(verb: string): string | null {
  return TRIES[verb] ?? null;
}

/** Operations on base images, as people say them; actions keep the names of their buttons. */
const WORDS: Record<string, string> = { 'register-image': 'register image', 'forget-image': 'forget image' };

/** What a job does, in words. */
export const verbWord = (verb: string): string => WORDS[verb] ?? verb;

/** Verbs whose jobs copy memory: their pages show curves. */
export const isMove = (verb: string): boolean => verb === 'migrate';
