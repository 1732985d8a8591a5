/** Rows of all keys below a folder: so many as are read at once. */
import { withQuery } from './asked-path.ts';
import { pathOfKey } from './keys-and-values.ts';

/** They come anew, with what they say, whenever any key below changes: of a large store that would be all of it. */
export const MAX_ROWS = 1000;

/** One more tells that there are more. */
export function pathOfRows(folder: string): string {
  return withQuery(pathOfKey(folder), { recurse: 'yes', limit: String(MAX_ROWS + 1) });
}
