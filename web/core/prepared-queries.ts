/** Prepared queries: what they look for, how they are tried, and what may be done with them. */
import type { PreparedQuery } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';
import type { Entry } from './catalog.ts';
import { HIDDEN } from './secrets.ts';

/** As /execute answers: here an instance without checks has no list of them. */
export interface FoundEntry extends Omit<Entry, 'Checks'> {
  readonly Checks: Entry['Checks'] | null;
}

export interface Found {
  readonly Service: string;
  readonly Nodes: readonly FoundEntry[] | null;
  readonly Datacenter: string;
  readonly Failovers: number;
  readonly DNS: { readonly TTL: string };
}

export interface Explained {
  readonly Query: PreparedQuery;
}

export function isTemplate({ Template }: PreparedQuery): boolean {
  return Template.Type !== '';
}

/** One without a name is known by its id. */
export function nameOf({ Name, ID }: PreparedQuery): string {
  return Name || ID;
}

export function pathToTry(name: string, how: 'execute' | 'explain', limit = ''): string {
  return withQuery(`/v1/query/${encodeURIComponent(name)}/${how}`, { limit });
}

export function remove({ ID }: PreparedQuery): Action {
  return { method: 'DELETE', path: `/v1/query/${ID}` };
}

/** As it is: for whoever wants to have it otherwise, and changes what is copied. */
export function write(query: PreparedQuery): Action {
  const { CreateIndex: _, ModifyIndex: __, ...body } = query;
  return { method: 'PUT', path: `/v1/query/${query.ID}`, body };
}

/** The same again, under another id; undefined where not all of it may be seen. */
export function makeAgain(query: PreparedQuery): Action | undefined {
  if (query.Token === HIDDEN) return undefined;
  const { ID: _, CreateIndex: __, ModifyIndex: ___, ...body } = query;
  return { method: 'POST', path: '/v1/query', body };
}
