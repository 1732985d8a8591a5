import { compileFilter } from '../../lib/filter/compile-filter.ts';
import type { StructSchema } from '../../lib/filter/fields.ts';
import type { Params } from '../../lib/http/params.ts';
import { keepAll, type Narrowing, pair } from '../query/catalog.ts';

/**
 * What a request's parameters narrow a list to. `asking` is the node that `?near=_agent` means;
 * without fields there is nothing to filter by.
 */
export function narrowing(
  params: Params,
  asking: string,
  fields: StructSchema | undefined,
): Narrowing {
  const tags = params.all('tag').filter((tag) => tag !== '');
  const nodeMeta = params.all('node-meta').map(pair);
  const filter = fields === undefined ? '' : params.get('filter');
  const near = params.get('near') === '_agent' ? asking : params.get('near');
  // Most lists are not narrowed at all.
  const plain = tags.length === 0 && nodeMeta.length === 0 && filter === '' && near === '';
  return {
    key: plain ? '' : JSON.stringify([tags, nodeMeta, filter, near]),
    tags,
    nodeMeta,
    near,
    keep: fields === undefined || filter === '' ? keepAll : compileFilter(filter, fields),
  };
}
