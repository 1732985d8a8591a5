/** User events: what was fired, and what is to be. */
import type { UserEvent } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';

export interface Firing {
  readonly name: string;
  readonly payload: string;
  /** Patterns; '' is everybody. */
  readonly node: string;
  readonly service: string;
  readonly tag: string;
}

export function fire({ name, payload, node, service, tag }: Firing): Action {
  const filters = Object.entries({ node, service, tag }).filter(([, pattern]) => pattern !== '');
  const flags = filters.map(([flag, pattern]) => `-${flag}=${pattern}`);
  const words = ['event', `-name=${name}`, ...flags];
  return {
    method: 'PUT',
    path: withQuery(`/v1/event/fire/${encodeURIComponent(name)}`, { node, service, tag }),
    ...(payload !== '' && { body: payload }),
    command: { words, args: payload === '' ? [] : [payload] },
  };
}

/** Who it was for; '' is everybody. */
export function filtersOf({ NodeFilter, ServiceFilter, TagFilter }: UserEvent) {
  return { node: NodeFilter, service: ServiceFilter, tag: TagFilter };
}
