/** Which version of a document that several managers share is here; of two the later counts, then the greater writer. */
export interface SharedVersion {
  kind: string;
  id: string;
  versionMs: number;
  /** Id of the manager that wrote it. */
  writer: string;
  gone: boolean;
}

export interface SharedVersionStore {
  get(kind: string, id: string): SharedVersion | null;
  /** Those that were removed. */
  gone(): SharedVersion[];
  put(version: SharedVersion): void;
}
