import { describe, expect, it } from 'vitest';
import { handsOnRawSockets } from './raw-sockets.ts';

describe('handsOnRawSockets', () => {
  it('reads what is handed on, not what this process itself may do', () => {
    const status = (ambient: string) => `Name:\tnode\nCapEff:\t000001ffffffffff\nCapAmb:\t${ambient}\nSeccomp:\t0\n`;
    expect(handsOnRawSockets(status('0000000000002000'))).toBe(true);
    expect(handsOnRawSockets(status('0000000000003000'))).toBe(true);
    expect(handsOnRawSockets(status('0000000000000000'))).toBe(false);
    expect(handsOnRawSockets(status('0000000000001000'))).toBe(false);
    expect(handsOnRawSockets('')).toBe(false);
  });
});
