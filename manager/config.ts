import { readFileSync } from 'node:fs';
import { WebvirtError } from '../common/errors.ts';
import { layeredConfig } from '../common/pure/config/layers.ts';
import { type ManagerConfig, managerConfigSchema } from './config/schema.ts';

export { type ManagerConfig, managerConfigSchema } from './config/schema.ts';

export const ENV_PREFIX = 'WEBVIRT_';

/**
 * The manager's configuration: defaults, then the YAML file that WEBVIRT_CONFIG names, then WEBVIRT_… variables. Throws
 * `bad-config` that names the key. This file alone reads the environment.
 */
export function readManagerConfig(env: NodeJS.ProcessEnv = process.env): ManagerConfig {
  const file = env['WEBVIRT_CONFIG'] || null;
  const text = file === null ? null : readOwnFile(file, 'WEBVIRT_CONFIG');
  const config = layeredConfig(managerConfigSchema, { text, file: file ?? 'defaults', env, prefix: ENV_PREFIX });
  if (config.signIn.remember <= config.signIn.absolute) {
    throw new WebvirtError('bad-config', `${file ?? 'defaults'}: signIn.remember: must be longer than signIn.absolute`);
  }
  const { udpPort, tcpPort, tlsPort, allow } = config.intake.syslog;
  if ((udpPort !== null || tcpPort !== null || tlsPort !== null) && allow.length === 0) {
    const what = 'say which addresses may send, such as 10.0.0.0/8: syslog knows no passwords';
    throw new WebvirtError('bad-config', `${file ?? 'defaults'}: intake.syslog.allow: ${what}`);
  }
  if (config.store.engine === 'cassandra' && config.lines.limit !== null) {
    const what =
      'Cassandra deletes by age alone: leave it out, set lines.keep and lines.keepLevels, and give its nodes room';
    throw new WebvirtError('bad-config', `${file ?? 'defaults'}: lines.limit: ${what}`);
  }
  const { smtp } = config.alerts;
  // Said now: the first alarm is a bad moment to find out.
  if (smtp.caFile !== null) readOwnFile(smtp.caFile, 'alerts.smtp.caFile');
  const smtpPassword = smtp.password ?? firstLine(smtp.passwordFile, 'alerts.smtp.passwordFile');
  const adminPassword = config.adminPassword ?? firstLine(config.adminPasswordFile, 'adminPasswordFile');
  const alerts = { ...config.alerts, smtp: { ...smtp, password: smtpPassword } };
  const redisPassword = config.redis.password ?? firstLine(config.redis.passwordFile, 'redis.passwordFile');
  const redis = { ...config.redis, password: redisPassword };
  return Object.freeze({ ...config, adminPassword, alerts, redis });
}

function firstLine(path: string | null, key: string): string | null {
  return path === null ? null : (readOwnFile(path, key).split(/\r?\n/)[0] ?? '');
}

function readOwnFile(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what =
      code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read by this user' : 'cannot be read';
    throw new WebvirtError('bad-config', `${key}: the file ${path} ${what}`, {}, { cause: error });
  }
}

/** True when the program must stop once its standard input ends: `npm start` sets it, so that no part outlives it. */
export function stopsWithStdin(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['WEBVIRT_STOP_WITH_STDIN'] === '1';
}
