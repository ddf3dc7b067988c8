import { Redis } from 'ioredis';

export interface RedisAddress {
  /** `redis://host:port/db`, or `rediss://` for TLS. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
}

const CONNECT_LIMIT_MS = 5_000;
const RETRY_MS = { first: 50, most: 1_000 };

/**
 * A connection that comes back by itself and never keeps what could not be sent: a command fails at once while Redis is
 * away, and after `commandLimitMs` when it does not answer. Who asks repeats it. `name` is shown by CLIENT LIST.
 */
export function openRedis(address: RedisAddress, options: { name: string; commandLimitMs: number | null }): Redis {
  const redis = new Redis(address.url, {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(options.commandLimitMs === null ? {} : { commandTimeout: options.commandLimitMs }),
    connectionName: options.name,
    connectTimeout: CONNECT_LIMIT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    protocol: 2,
    retryStrategy: (times) => Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(times, 10)),
  });
  // Told by whoever's command fails; without a listener ioredis writes to the console.
  redis.on('error', () => {});
  return redis;
}

/** Resolves when commands can be sent. Rejects when the try that is under way fails, at once when none is. */
export function whenReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  if (!['connecting', 'connect'].includes(redis.status))
    return Promise.reject(new Error(`Redis is not connected (${redis.status})`));
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      redis.off('ready', onReady).off('error', onError).off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onReady = () => done();
    const onError = (error: Error) => done(error);
    const onClose = () => done(new Error('Redis closed the connection'));
    redis.once('ready', onReady).once('error', onError).once('close', onClose);
  });
}
