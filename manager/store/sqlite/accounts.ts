import type { Database } from 'better-sqlite3';
import type { AccountStore, StoredMember, StoredSession, StoredToken } from '../ports.ts';
import { readDocument } from './document.ts';

const TOKEN = `id, token_hash AS tokenHash, name, owner, role, created_ms AS createdMs, expires_ms AS expiresMs,
  last_used_ms AS lastUsedMs`;
const MEMBER = 'email, role, password_hash AS passwordHash';

/** Members, their sessions and their tokens. Only hashes of secrets are kept. */
export function createAccountStore(db: Database): AccountStore {
  const members = db.prepare(`SELECT ${MEMBER} FROM members ORDER BY email`);
  const member = db.prepare(`SELECT ${MEMBER} FROM members WHERE email = ?`);
  const putMember = db.prepare(
    `INSERT INTO members (email, role, password_hash) VALUES (@email, @role, @passwordHash)
     ON CONFLICT (email) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash`,
  );
  const putSession = db.prepare(
    `INSERT INTO sessions (id_hash, expires_ms, doc) VALUES (?, ?, ?)
     ON CONFLICT (id_hash) DO UPDATE SET expires_ms = excluded.expires_ms, doc = excluded.doc`,
  );
  const session = db.prepare('SELECT doc FROM sessions WHERE id_hash = ?');
  const removeSession = db.prepare('DELETE FROM sessions WHERE id_hash = ?');
  const removeExpiredSessions = db.prepare('DELETE FROM sessions WHERE expires_ms <= ?');
  const removeExpiredTokens = db.prepare('DELETE FROM tokens WHERE expires_ms <= ?');
  const putToken = db.prepare(
    `INSERT INTO tokens (id, token_hash, name, owner, role, created_ms, expires_ms, last_used_ms)
     VALUES (@id, @tokenHash, @name, @owner, @role, @createdMs, @expiresMs, @lastUsedMs)
     ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, name = excluded.name, owner = excluded.owner,
       role = excluded.role, expires_ms = excluded.expires_ms, last_used_ms = excluded.last_used_ms`,
  );
  const tokenByHash = db.prepare(`SELECT ${TOKEN} FROM tokens WHERE token_hash = ?`);
  const tokens = db.prepare(`SELECT ${TOKEN} FROM tokens WHERE owner = ? ORDER BY created_ms, id`);
  const removeToken = db.prepare('DELETE FROM tokens WHERE id = ? AND owner = ?');
  const touchToken = db.prepare('UPDATE tokens SET last_used_ms = ? WHERE id = ?');
  return {
    members: () => members.all() as StoredMember[],
    member: (email) => (member.get(email) as StoredMember | undefined) ?? null,
    putMember: (m) => void putMember.run({ email: m.email, role: m.role, passwordHash: m.passwordHash }),
    putSession: (s) => void putSession.run(s.idHash, Math.round(s.expiresMs), JSON.stringify(s)),
    session: (idHash) => readDocument<StoredSession>(session.get(idHash)),
    removeSession: (idHash) => void removeSession.run(idHash),
    removeExpired: (nowMs) => removeExpiredSessions.run(nowMs).changes + removeExpiredTokens.run(nowMs).changes,
    putToken: (t) =>
      void putToken.run({
        id: t.id,
        tokenHash: t.tokenHash,
        name: t.name,
        owner: t.owner,
        role: t.role,
        createdMs: Math.round(t.createdMs),
        expiresMs: t.expiresMs === null ? null : Math.round(t.expiresMs),
        lastUsedMs: t.lastUsedMs === null ? null : Math.round(t.lastUsedMs),
      }),
    tokenByHash: (hash) => (tokenByHash.get(hash) as StoredToken | undefined) ?? null,
    tokens: (owner) => tokens.all(owner) as StoredToken[],
    removeToken: (id, owner) => removeToken.run(id, owner).changes === 1,
    touchToken: (id, usedMs) => void touchToken.run(Math.round(usedMs), id),
  };
}
