import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { StoreFailpoint } from '../failpoint.ts';
import type { StateStore } from '../ports.ts';
import { createAccountStore } from './accounts.ts';
import { createCandidateStore } from './candidates.ts';
import { openComputeStore } from './compute.ts';
import { createDeliveryStore } from './deliveries.ts';
import { createDestinationStore } from './destinations.ts';
import { createEnrolTokenStore } from './enrol-tokens.ts';
import { createHostStore } from './hosts.ts';
import { createInstanceStore } from './instances.ts';
import { createJobStore } from './jobs.ts';
import { createKeepStore } from './keeps.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { reserveRoom } from './reserve.ts';
import { createRuleStore } from './rules.ts';
import { createScanStore } from './scans.ts';
import { createSearchStore } from './searches.ts';
import { createSettingStore } from './settings.ts';
import { createSharedVersionStore } from './shared.ts';

/**
 * Opens (or makes) the state file: WAL, synced at each commit, readable by its owner alone. Throws
 * `store-unavailable` when a newer program wrote it, and SQLite's own error when the file cannot be opened.
 */
export function openStateStore(path: string, failpoint?: StoreFailpoint): StateStore {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path, { timeout: 5_000 });
  try {
    // Enrolment secrets and password hashes are inside.
    chmodSync(path, 0o600);
    migrateBeforeWriting(db, path, failpoint);
    reserveRoom(db);
  } catch (error) {
    db.close();
    throw error;
  }
  const compute = openBeside(db, join(dirname(path), 'compute.sqlite'));
  return {
    hosts: createHostStore(db),
    instances: createInstanceStore(db),
    jobs: createJobStore(db),
    accounts: createAccountStore(db),
    candidates: createCandidateStore(db),
    scans: createScanStore(db),
    enrolTokens: createEnrolTokenStore(db),
    settings: createSettingStore(db),
    rules: createRuleStore(db),
    destinations: createDestinationStore(db),
    deliveries: createDeliveryStore(db),
    searches: createSearchStore(db),
    keeps: createKeepStore(db),
    sharedVersions: createSharedVersionStore(db),
    compute,
    together: (work) => db.transaction(work).immediate(),
    close() {
      compute.close();
      db.close();
    },
  };
}

function openBeside(db: Database.Database, path: string) {
  try {
    return openComputeStore(path);
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrateBeforeWriting(db: Database.Database, path: string, failpoint: StoreFailpoint | undefined): void {
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('journal_mode = WAL');
  // Before the log outgrows the room that is reserved for it: on a full disk it is then written in place.
  db.pragma('wal_autocheckpoint = 400');
  migrate(db, path, Date.now(), MIGRATIONS, failpoint);
}
