import { createHmac } from 'node:crypto';

/**
 * The value of `webvirt-signature`: `t=<seconds since 1970>,v1=<hex>`, where the hex is HMAC-SHA-256 under the key of the
 * destination over `<t>.<body>`. The time is inside, so that a message that was overheard is of no use later.
 */
export function signatureOf(secret: string, body: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
