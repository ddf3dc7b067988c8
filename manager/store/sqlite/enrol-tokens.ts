import type { Database } from 'better-sqlite3';
import type { EnrolTokenStore, StoredEnrolToken } from '../ports.ts';

const COLUMNS = `id, secret, agent, created_by AS createdBy, created_ms AS createdMs, expires_ms AS expiresMs,
  used_ms AS usedMs, used_by AS usedBy`;
/** How long a used or expired token is remembered, so that a second use can be told from an unknown one. */
const REMEMBERED_MS = 30 * 86_400_000;

/** One-time enrolment tokens. The secret is wiped when the token is used and at the first `put` after it expired. */
export function createEnrolTokenStore(db: Database): EnrolTokenStore {
  const insert = db.prepare(
    `INSERT INTO enrol_tokens (id, secret, agent, created_by, created_ms, expires_ms, used_ms, used_by)
     VALUES (@id, @secret, @agent, @createdBy, @createdMs, @expiresMs, @usedMs, @usedBy)
     ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, agent = excluded.agent, expires_ms = excluded.expires_ms,
       used_ms = excluded.used_ms, used_by = excluded.used_by`,
  );
  const wipe = db.prepare("UPDATE enrol_tokens SET secret = '' WHERE expires_ms <= ? AND secret <> ''");
  const forget = db.prepare('DELETE FROM enrol_tokens WHERE expires_ms <= ?');
  const get = db.prepare(`SELECT ${COLUMNS} FROM enrol_tokens WHERE id = ?`);
  // One statement is one transaction: two uses at the same time cannot both change the row.
  const use = db.prepare(
    `UPDATE enrol_tokens SET used_ms = @nowMs, used_by = @agent, secret = ''
     WHERE id = @id AND used_ms IS NULL AND expires_ms > @nowMs AND (agent IS NULL OR agent = @agent)`,
  );
  const put = db.transaction((token: StoredEnrolToken) => {
    wipe.run(token.createdMs);
    forget.run(token.createdMs - REMEMBERED_MS);
    insert.run({
      id: token.id,
      secret: token.secret,
      agent: token.agent,
      createdBy: token.createdBy,
      createdMs: Math.round(token.createdMs),
      expiresMs: Math.round(token.expiresMs),
      usedMs: token.usedMs === null ? null : Math.round(token.usedMs),
      usedBy: token.usedBy,
    });
  });
  return {
    put: (token) => put.immediate(token),
    get: (id) => (get.get(id) as StoredEnrolToken | undefined) ?? null,
    use: (id, agent, nowMs) => use.run({ id, agent, nowMs: Math.round(nowMs) }).changes === 1,
  };
}
