import { compileFilter } from '../../lib/filter/compile-filter.ts';
import type { StructSchema } from '../../lib/filter/fields.ts';
import type { Params } from '../../lib/http/params.ts';
import { FILTER, param } from '../../lib/http/takes.ts';
import { keepAll, type Narrowing, pair } from '../query/catalog.ts';

/** Of a list of names on nodes. */
export const BY_NODE = { 'node-meta': param.texts('key:value: only nodes that have it') };

/** Of a list of things on nodes. */
export const NARROWED = {
  filter: FILTER,
  ...BY_NODE,
  near: param.text('nearest first, as seen from this node; _agent is the one asked'),
};

const FILLED = 'merge-central-config';
export const FILLED_IN = {
  [FILLED]: param.flag('shows proxies with what config entries say of them'),
};

/** Of a list of what stands in front of a service: as in Consul its tags are not asked for. */
export const IN_FRONT_NARROWED = { ...FILLED_IN, ...NARROWED };

/** Of a list of instances. */
export const INSTANCES_NARROWED = {
  ...FILLED_IN,
  tag: param.texts('only instances that have this tag'),
  ...NARROWED,
};

/**
 * What a request's parameters narrow a list to, as far as its row takes them. `asking` is the node that `?near=_agent` means;
 * without fields there is nothing to filter by.
 */
export function narrowing(
  params: Params,
  asking: string,
  fields: StructSchema | undefined,
): Narrowing {
  const all = (name: string) => (params.takes(name) ? params.all(name) : []);
  const tags = all('tag').filter((tag) => tag !== '');
  const nodeMeta = all('node-meta').map(pair);
  const filter = fields === undefined ? '' : params.get('filter');
  const [sentNear = ''] = all('near');
  const near = sentNear === '_agent' ? asking : sentNear;
  const filled = params.takes(FILLED) && params.has(FILLED);
  // Most lists are not narrowed at all.
  const plain = tags.length + nodeMeta.length === 0 && filter === '' && near === '' && !filled;
  return {
    key: plain ? '' : JSON.stringify([tags, nodeMeta, filter, near, filled]),
    tags,
    nodeMeta,
    near,
    filled,
    keep: fields === undefined || filter === '' ? keepAll : compileFilter(filter, fields),
  };
}
