import { type Cidr, cidrSize, coverAddresses, cutCidr } from '../../common/pure/ip/cidr.ts';

/** One call of nmap: blocks of together at most 4,096 addresses, which is also how many nmap probes as one group. */
export interface Piece {
  blocks: Cidr[];
  addresses: number;
}

const PIECE_BITS = 20;
const PIECE_ADDRESSES = 2 ** (32 - PIECE_BITS);
const FIRST_PIECE_BITS = 26;
/** A range of this size is one piece: two would only cost the start of one more nmap. */
const WHOLE_BITS = 24;

/**
 * A range in pieces of a /20, of which the first one is cut smaller (/26, /26, /25, /24, /23, /22, /21): nmap prints
 * nothing before a group is through, and somebody may be waiting for the first answer.
 */
export function piecesOfRange(range: Cidr): Piece[] {
  const [first, ...rest] = cutCidr(range, PIECE_BITS);
  const blocks = range.bits >= WHOLE_BITS ? [range] : [...rampUp(first!), ...rest];
  return blocks.map((block) => ({ blocks: [block], addresses: cidrSize(block) }));
}

/** Scattered addresses (sorted, without repetition) in pieces, each as the fewest blocks that hold exactly them. */
export function piecesOfAddresses(sorted: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < sorted.length; from += PIECE_ADDRESSES) {
    const part = sorted.slice(from, from + PIECE_ADDRESSES);
    pieces.push({ blocks: coverAddresses(part), addresses: part.length });
  }
  return pieces;
}

function rampUp(block: Cidr): Cidr[] {
  if (block.bits >= FIRST_PIECE_BITS) return [block];
  const [lower, upper] = cutCidr(block, block.bits + 1);
  return [...rampUp(lower!), upper!];
}
