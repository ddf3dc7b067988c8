import { z } from 'zod';
import type { KeepMark, SavedSearch } from '../../common/model/search.ts';
import type { SharedVersion, StateStore, StoredDestination, StoredRule } from '../store/ports.ts';

/** Documents of which every manager has all. */
const KINDS = ['search', 'keep', 'rule', 'destination'] as const;
export type DocumentKind = (typeof KINDS)[number];

const documentSchema = z.object({
  kind: z.enum(KINDS),
  id: z.string().min(1).max(200),
  versionMs: z.number().int().nonnegative(),
  writer: z.string().min(1).max(200),
  doc: z.looseObject({ id: z.string() }).nullable(),
});
/** One version of a document; null: it was removed. */
export type SharedDocument = z.output<typeof documentSchema>;

/** How a document of another manager comes to be here; null: it goes. */
export type Adopters = Record<DocumentKind, (id: string, doc: never) => void>;

export interface SharedState {
  /** As the state it is made of: what is written there of these documents is told to the other managers. */
  state: StateStore;
  /** Every document, and what was removed. */
  all(): SharedDocument[];
  /** Takes a document of another manager if it is newer; true when it was. Throws on what is no document. */
  take(data: unknown, adopters: Adopters): boolean;
}

/**
 * Saved searches, marks, rules and destinations of several managers: each has all of them in its own state, and tells what
 * is written. The later version counts, of two of the same millisecond that of the greater name, so that all end with the same.
 */
export function createSharedState(
  state: StateStore,
  deps: { managerId: string; tell(document: SharedDocument): void; nowMs: () => number },
): SharedState {
  const { managerId, tell, nowMs } = deps;
  const versions = state.sharedVersions;
  /** True while something of another manager is written here: it is not told back. */
  let isTaking = false;

  function wrote(kind: DocumentKind, id: string, doc: { id: string } | null): void {
    if (isTaking) return;
    const before = versions.get(kind, id)?.versionMs ?? 0;
    const version = { kind, id, versionMs: Math.max(Math.round(nowMs()), before + 1), writer: managerId };
    versions.put({ ...version, gone: doc === null });
    tell({ ...version, doc: doc as SharedDocument['doc'] });
  }

  function documentOf(kind: DocumentKind, doc: { id: string; createdMs: number; changedMs?: number }): SharedDocument {
    const known = versions.get(kind, doc.id);
    // Older than the sharing itself: its own time says how old.
    const versionMs = known?.versionMs ?? Math.round(doc.changedMs ?? doc.createdMs);
    return { kind, id: doc.id, versionMs, writer: known?.writer ?? managerId, doc: { ...doc } };
  }

  function ageOf(kind: DocumentKind, id: string): Pick<SharedVersion, 'versionMs' | 'writer'> | null {
    const known = versions.get(kind, id);
    if (known !== null) return known;
    const here = documentsOf(kind).find((doc) => doc.id === id);
    return here === undefined ? null : documentOf(kind, here);
  }

  function documentsOf(kind: DocumentKind): { id: string; createdMs: number; changedMs?: number }[] {
    if (kind === 'search') return state.searches.all();
    if (kind === 'keep') return state.keeps.list();
    return kind === 'rule' ? state.rules.list() : state.destinations.list();
  }

  /** The same store, whose writes are told; `false` says that nothing was written. */
  function told<D extends { id: string }, S extends { put(doc: D): unknown; remove(id: string): unknown }>(
    kind: DocumentKind,
    store: S,
  ): S {
    const tellOf = <T>(result: T, id: string, doc: D | null): T => {
      if (result !== false) wrote(kind, id, doc);
      return result;
    };
    return {
      ...store,
      put: (doc: D) => tellOf(store.put(doc), doc.id, doc),
      remove: (id: string) => tellOf(store.remove(id), id, null),
    };
  }

  const shared: StateStore = {
    ...state,
    searches: told<SavedSearch, StateStore['searches']>('search', state.searches),
    keeps: told<KeepMark, StateStore['keeps']>('keep', state.keeps),
    rules: told<StoredRule, StateStore['rules']>('rule', state.rules),
    destinations: told<StoredDestination, StateStore['destinations']>('destination', state.destinations),
  };

  return {
    state: shared,
    all() {
      const gone = versions.gone().flatMap(({ kind, id, versionMs, writer }) => {
        const known = KINDS.find((one) => one === kind);
        return known === undefined ? [] : [{ kind: known, id, versionMs, writer, doc: null }];
      });
      return [...KINDS.flatMap((kind) => documentsOf(kind).map((doc) => documentOf(kind, doc))), ...gone];
    },
    take(data, adopters) {
      const { kind, id, versionMs, writer, doc } = documentSchema.parse(data);
      const ours = ageOf(kind, id);
      const isNewer =
        ours === null || versionMs > ours.versionMs || (versionMs === ours.versionMs && writer > ours.writer);
      if (!isNewer) return false;
      isTaking = true;
      try {
        adopters[kind](id, doc as never);
        versions.put({ kind, id, versionMs, writer, gone: doc === null });
      } finally {
        isTaking = false;
      }
      return true;
    },
  };
}
