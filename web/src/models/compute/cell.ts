import { CellOutput } from './cell-output.ts';

export type CellState = 'draft' | 'sending' | 'queued' | 'running' | 'ok' | 'error' | 'interrupted' | 'died';

/** A place in a notebook: the code that stands there, and what its latest run brought. */
export interface Cell {
  /** Names the place while the page lives. */
  readonly key: string;
  /** Number of the latest run; null as long as it was never run. */
  number: number | null;
  /** Numbers of all its runs: others may name it by an older one. */
  runs: number[];
  /** What the latest run ran. */
  ranCode: string;
  /** What stands in the editor here; others see it once it is run. */
  code: string;
  actor: string | null;
  state: CellState;
  startedMs: number | null;
  elapsedMs: number | null;
  output: CellOutput;
  /** Why it was not taken, in words. */
  refused: string | null;
  /** A run of another person came while other code stood here. */
  overtaken: boolean;
}

export function draftCell(key: string, code = ''): Cell {
  return {
    key,
    number: null,
    runs: [],
    ranCode: '',
    code,
    actor: null,
    state: 'draft',
    startedMs: null,
    elapsedMs: null,
    output: new CellOutput(),
    refused: null,
    overtaken: false,
  };
}

/** True while a run of this cell is under way. */
export function isBusy({ state }: Cell): boolean {
  return state === 'sending' || state === 'queued' || state === 'running';
}

/** True where what is typed is not what was run. */
export function isChanged(cell: Cell): boolean {
  return cell.number !== null && cell.code !== cell.ranCode;
}
