import { createTerminalFilter } from '../../../common/pure/terminal/filter.ts';

/** Sequences that move, erase or set modes: everything but colours. */
const NOT_COLOUR = /\x1b\[[0-9;:?<=>!"#$%&'()*+,\-./ ]*[@-ln-~]|\x1b[^[]|\x1b$/g;
const CONTROL = /[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f]/g;
const COLOUR = /\x1b\[[0-9;:]*m/g;

/**
 * What is left to read of a line that a guest printed on its serial console: the last state of what it wrote over, with its
 * colours and without anything else that a terminal would do. Empty when nothing is to be seen.
 */
export function consoleText(raw: string): string {
  const filtered = createTerminalFilter()(raw).replace(NOT_COLOUR, '');
  const states = filtered.split('\r').filter((state) => state.replace(COLOUR, '').trim() !== '');
  const last = states.at(-1) ?? '';
  const text = (last.includes('\b') ? withoutErased(last) : last).replace(CONTROL, '').trimEnd();
  return text.replace(COLOUR, '').trim() === '' ? '' : text;
}

/** A backspace takes the character before it back. */
function withoutErased(text: string): string {
  const kept: string[] = [];
  for (const char of text) {
    if (char === '\b') kept.pop();
    else kept.push(char);
  }
  return kept.join('');
}
