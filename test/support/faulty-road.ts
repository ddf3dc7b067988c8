import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Socket } from 'node:net';

/**
 * What the road does with bytes. What is held is not lost, as TCP does not lose it: it comes when the road is well again.
 * `slow` lets through so many bytes a second, each way.
 */
export type Fault = { held?: 'both' | 'up' | 'down' } | { bytesPerSecond: number };

interface Way {
  from: Socket;
  to: Socket;
  name: 'up' | 'down';
}

interface Crossing {
  /** From who dialled; `down` goes to who was dialled. */
  near: Socket;
  far: Socket;
  fault: Fault;
  ways: Way[];
}

const TICK_MS = 20;

/** A TCP proxy that fails as networks do. `up` is towards who dialled. */
export async function startFaultyRoad(target: { port: number; host?: string }) {
  const crossings = new Set<Crossing>();
  /** Nobody is told of these any more. */
  const lost: Crossing[] = [];
  let fault: Fault = {};
  let opened = 0;

  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = dial({ port: target.port, host: target.host ?? '127.0.0.1', allowHalfOpen: true });
    opened += 1;
    const ways: Way[] = [
      { from: near, to: far, name: 'down' },
      { from: far, to: near, name: 'up' },
    ];
    const crossing: Crossing = { near, far, fault, ways };
    crossings.add(crossing);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    for (const way of ways) {
      way.from.on('readable', () => move(crossing, way));
      way.from.on('end', () => move(crossing, way));
      // A reset travels as bytes do: not over a road that holds them.
      way.from.on('close', () => move(crossing, way));
      way.to.on('drain', () => move(crossing, way));
    }
  });

  function isHeld({ fault: of }: Crossing, { name }: Way): boolean {
    if ('bytesPerSecond' in of) return true;
    return of.held === 'both' || of.held === name;
  }

  /** Hands on what may go now. */
  function move(crossing: Crossing, way: Way): void {
    if (isHeld(crossing, way)) return;
    const { from, to } = way;
    while (!to.destroyed && !to.writableNeedDrain) {
      const bytes = from.read() as Buffer | null;
      if (bytes === null) break;
      to.write(bytes);
    }
    if (to.destroyed) from.resume();
    if (from.readableEnded && !to.writableEnded) to.end();
    if (from.destroyed && !from.readableEnded && !to.destroyed) to.resetAndDestroy();
    if (crossing.near.destroyed && crossing.far.destroyed) crossings.delete(crossing);
  }

  const moveAll = (crossing: Crossing) => {
    for (const way of crossing.ways) move(crossing, way);
  };

  let owed = 0;
  const timer = setInterval(() => {
    for (const crossing of crossings) {
      if (!('bytesPerSecond' in crossing.fault)) continue;
      owed += (crossing.fault.bytesPerSecond * TICK_MS) / 1_000 / crossings.size;
      const whole = Math.floor(owed);
      if (whole < 1) continue;
      owed -= whole;
      for (const { from, to } of crossing.ways) {
        const bytes = (from.read(Math.min(whole, from.readableLength)) ?? null) as Buffer | null;
        if (bytes !== null && !to.destroyed) to.write(bytes);
      }
    }
  }, TICK_MS);

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    /** Connections so far. */
    opened: () => opened,
    open: () => crossings.size,
    /** From now on; also for what is open, unless `only` is 'new'. */
    set(to: Fault, only?: 'new'): void {
      fault = to;
      if (only === 'new') return;
      for (const crossing of [...crossings]) {
        crossing.fault = to;
        moveAll(crossing);
      }
    },
    /** Both ends hear a reset. */
    reset(): void {
      for (const { near, far } of [...crossings]) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
      crossings.clear();
    },
    /** Who dialled hears a reset; the other end hears nothing, now or later. */
    halfOpen(): void {
      for (const crossing of [...crossings]) {
        crossing.fault = { held: 'both' };
        lost.push(crossing);
        crossings.delete(crossing);
        crossing.near.resetAndDestroy();
      }
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      for (const { near, far } of [...crossings, ...lost]) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FaultyRoad = Awaited<ReturnType<typeof startFaultyRoad>>;
