import type { Database } from 'better-sqlite3';
import type { SettingStore } from '../ports.ts';

/** Small values by name. */
export function createSettingStore(db: Database): SettingStore {
  const get = db.prepare('SELECT value FROM settings WHERE name = ?');
  const put = db.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (name) => (get.get(name) as { value: string } | undefined)?.value ?? null,
    put: (name, value) => void put.run(name, value),
  };
}
