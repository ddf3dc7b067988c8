/** Writes a line of source `audit`: constant text plus fields that name who, what and from where; never a secret. */
export type Audit = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
