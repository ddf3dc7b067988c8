import { describe, expect, it } from 'vitest';
import { StillOrder } from './still-order.ts';

describe('StillOrder', () => {
  it('keeps every row in its place while held and counts what waits', () => {
    const order = new StillOrder();
    order.set(['a', 'b', 'c']);
    order.hold();
    expect(order.set(['x', 'c', 'a', 'b', 'y'])).toBe(false);
    expect(order.shown).toEqual(['a', 'b', 'c']);
    expect(order.waiting()).toEqual({ fresh: 2, moved: true });
    expect(order.release()).toBe(true);
    expect(order.shown).toEqual(['x', 'c', 'a', 'b', 'y']);
    expect(order.waiting()).toEqual({ fresh: 0, moved: false });
  });

  it('takes the order at once when asked, and goes on holding', () => {
    const order = new StillOrder();
    order.set(['a']);
    order.hold();
    order.set(['a', 'b']);
    expect(order.refresh()).toBe(true);
    order.set(['b', 'a']);
    expect(order.shown).toEqual(['a', 'b']);
  });

  it('fills an empty table even while held', () => {
    const order = new StillOrder();
    order.hold();
    expect(order.set(['a'])).toBe(true);
  });
});
