import { gatheredWords } from './gathered-text.ts';
import { type NoticeWords, noticeWords, type Told } from './notice-text.ts';

/** A message in words, with links into the console under `consoleUrl`. Nothing in it acts on a terminal or a reader. */
export function wordsOf({ notice, gathered }: Told, consoleUrl: string): NoticeWords {
  return gathered === undefined ? noticeWords(notice, consoleUrl) : gatheredWords({ notice, gathered }, consoleUrl);
}
