/**
 * The text without what it ends with of these characters. In linear time, which a pattern for a run at the end is not: it
 * looks from every such character to the end of its run, and a message of millions of line ends would stop the process.
 */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
