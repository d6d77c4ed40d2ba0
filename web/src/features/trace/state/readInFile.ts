// What a query of the find field asks of a trace that is from a file. Fetched with the first one: most traces come from
// the server, which reads them itself.

import type { TraceColumns } from '../../../model/columns.ts';
import { evaluate } from '../../../model/evaluate.ts';
import { type FileSought, readFileQuery } from '../../../model/fileQuery.ts';
import { Matches } from '../../../model/find.ts';

export type ReadQuery = {
  /** What the columns know at once. */
  readonly near: Matches | null;
  /** What has to be looked up in the file. */
  readonly sought: FileSought | null;
  readonly error: string | null;
};

export function readInFile(columns: TraceColumns, query: string): ReadQuery {
  try {
    const { conditions, tests } = readFileQuery(query);
    const near = new Matches(evaluate(columns, { type: 'and', of: conditions }));
    return { near, sought: tests.length > 0 ? { tests } : null, error: null };
  } catch (error) {
    return { near: null, sought: null, error: error instanceof Error ? error.message : String(error) };
  }
}
