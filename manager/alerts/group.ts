import { fieldValues } from '../../common/pure/query/field-value.ts';
import { isColumnField } from '../../common/pure/query/query.ts';
import type { QueryRow } from '../../common/pure/query/row.ts';

const LIMIT_GROUP = 255;

/** The group of a row: the same for lines in columns and for stored ones. Lines without a value are the group ''. */
export function groupOfRow(row: QueryRow, groupBy: string | null): string | null {
  if (groupBy === null) return null;
  return valueAtRow(row, groupBy).slice(0, LIMIT_GROUP);
}

function valueAtRow(row: QueryRow, groupBy: string): string {
  // Lines of the manager and of programs outside have no host, but come from somewhere.
  if (groupBy === 'host') return row.hostName || row.host || row.column('agent') || '';
  if (isColumnField(groupBy)) return row.column(groupBy) ?? '';
  return row.fields === null ? '' : (fieldValues(row.fields, groupBy)[0] ?? '');
}

/**
 * True for a line that alerts wrote themselves. Rules never look at those: one that matches its own firing would fire for
 * ever.
 */
export function isOwnLine(row: QueryRow): boolean {
  if (row.column('agent') !== 'manager' || row.fields === null || !row.fields.includes('"alert":')) return false;
  return fieldValues(row.fields, 'alert').length > 0;
}
