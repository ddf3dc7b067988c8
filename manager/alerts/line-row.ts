import type { Line } from '../../common/model/line.ts';
import type { ColumnField } from '../../common/pure/query/query.ts';
import type { QueryRow } from '../../common/pure/query/row.ts';

/** A stored line as a matcher and the groups see it. */
export function rowOfLine(line: Line): QueryRow {
  return {
    host: line.host,
    hostName: line.hostName,
    message: line.message,
    fields: line.fields === undefined ? null : JSON.stringify(line.fields),
    column: (name: ColumnField) => line[name],
  };
}
