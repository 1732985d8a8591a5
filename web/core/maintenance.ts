/** Maintenance of a node, or of one instance: told to the agent that keeps it, or to the catalog where none does. */
import { NODE_MAINTENANCE, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';
import { quoted } from './filter-text.ts';

/** A node, or one instance on it. */
export interface Place {
  readonly node: string;
  readonly id?: string;
}

interface Maintained {
  readonly enable: boolean;
  readonly reason: string;
}

/**
 * By the agent of the node, of all on it or of one instance. The node is named: where a balancer leads to several
 * agents, another one than that of before may be asked, and refuses.
 */
export function maintenance({ node, id }: Place, { enable, reason }: Maintained): Action {
  const what = id === undefined ? 'maintenance' : `service/maintenance/${encodeURIComponent(id)}`;
  const words = ['maint', `-node=${node}`, ...(id === undefined ? [] : [`-service=${id}`])];
  return {
    method: 'PUT',
    path: withQuery(`/v1/agent/${what}`, {
      enable: String(enable),
      reason: enable ? reason : '',
      node,
    }),
    command: { words: [...words, ...(enable ? ['-enable', `-reason=${reason}`] : ['-disable'])] },
  };
}

/** What stands for it at that agent, by which somebody else's is told from one's own. */
export function maintenanceAt(place: Place): string {
  const filter = `CheckID == ${quoted(checkOf(place))} and Node == ${quoted(place.node)}`;
  return withQuery('/v1/agent/checks', { filter });
}

/** The same check, which nobody else has there. By a transaction: that makes no node anew which is gone by then. */
export function maintenanceInCatalog(place: Place, { enable, reason }: Maintained): Action {
  const { node: Node, id: ServiceID = '' } = place;
  const Name = `${ServiceID === '' ? 'Node' : 'Service'} Maintenance Mode`;
  const named = { Node, CheckID: checkOf(place) };
  const said = { Name, Status: 'critical', Notes: reason, ServiceID };
  const Check = enable
    ? { Verb: 'set', Check: { ...named, ...said } }
    : { Verb: 'delete', Check: named };
  return { method: 'PUT', path: '/v1/txn', body: [{ Check }] };
}

export function maintenanceInCatalogAt(place: Place): string {
  const filter = `CheckID == ${quoted(checkOf(place))}`;
  return withQuery(`/v1/health/node/${encodeURIComponent(place.node)}`, { filter });
}

function checkOf({ id }: Place): string {
  return id === undefined ? NODE_MAINTENANCE : SERVICE_MAINTENANCE_PREFIX + id;
}
