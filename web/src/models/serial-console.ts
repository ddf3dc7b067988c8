/** How a serial console stands, as a view shows it. */
export interface SerialState {
  /** `opening`: asked for. `open`: bytes flow. `ended`: the manager says why not, and goes on trying. `lost`: no manager. */
  phase: 'opening' | 'open' | 'ended' | 'lost' | 'refused';
  hostName: string;
  reason: string | null;
  /** Of the catalogue, or null. */
  code: string | null;
  /** Whether keys are taken. */
  write: boolean;
}

export interface SerialHandlers {
  /** What was said last: the screen begins anew with it. */
  onRecent(bytes: Uint8Array): void;
  onData(bytes: Uint8Array, skipped: number): void;
  onState(state: SerialState): void;
  /** Keys did not reach the guest. */
  onUnsent(reason: string): void;
}

/** One open console; it comes back by itself after a lost connection. */
export interface SerialWay {
  type(keys: string): void;
  /** Opens it anew: to look only, to type, or to take it from who has it on the host. */
  reopen(options: { write: boolean; force?: boolean }): void;
  close(): void;
}

export type SerialConsoles = (instance: string, write: boolean, handlers: SerialHandlers) => SerialWay;
