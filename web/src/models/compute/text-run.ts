import { visibleText } from '../../../../common/pure/visible-text.ts';

// What is held is laid out anew at each drawing: 32,768 characters are some 700 lines.
const HEAD_CHARACTERS = 16_384;
const TAIL_CHARACTERS = 32_768;

/**
 * Text that a computation writes, ready to be shown: hidden characters are made visible, a carriage return writes over
 * the line as on a terminal (progress bars), and of a flood only its beginning and its end are held.
 */
export class TextRun {
  head = '';
  tail = '';
  /** Characters between head and tail that are not held. */
  cut = 0;
  #line = '';
  #returned = false;

  /** Everything held, with nothing between head and tail. */
  get text(): string {
    return this.head + this.tail + this.#line;
  }

  /** The end, with the line that is still being written. */
  get end(): string {
    return this.tail + this.#line;
  }

  append(raw: string): void {
    for (const piece of visibleLines(raw)) this.#take(piece);
    this.#bound();
  }

  #take(piece: string): void {
    if (piece === '\r') {
      this.#returned = true;
      return;
    }
    if (piece === '\n') {
      this.#keep(`${this.#line}\n`);
      this.#line = '';
      this.#returned = false;
      return;
    }
    this.#line = this.#returned ? piece + this.#line.slice(piece.length) : this.#line + piece;
    this.#returned = false;
  }

  #keep(text: string): void {
    const room = this.tail === '' && this.cut === 0 ? HEAD_CHARACTERS - this.head.length : 0;
    this.head += text.slice(0, room);
    this.tail += text.slice(room);
  }

  #bound(): void {
    // A line without an end is a flood too.
    if (this.#line.length > TAIL_CHARACTERS) {
      this.#keep(this.#line.slice(0, -1_024));
      this.#line = this.#line.slice(-1_024);
    }
    // Cut in large steps: a cut at each piece would copy the tail each time.
    if (this.tail.length < TAIL_CHARACTERS * 1.5) return;
    let from = this.tail.length - TAIL_CHARACTERS;
    const next = this.tail.indexOf('\n', from);
    if (next >= 0 && next - from < 1_024) from = next + 1;
    this.cut += from;
    this.tail = this.tail.slice(from);
  }
}

/** Pieces between line ends and carriage returns, and these as pieces of their own; hidden characters made visible. */
function visibleLines(raw: string): string[] {
  return raw
    .replaceAll('\r\n', '\n')
    .split(/([\r\n])/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece === '\r' || piece === '\n' ? piece : visibleText(piece)));
}
