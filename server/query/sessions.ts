/** Queries of /v1/session. */
import type { Session } from '../../lib/model.ts';
import { keyOf, type Query } from './query.ts';

export function session(id: string): Query {
  return {
    key: keyOf('session/info', id),
    run: (reader) => {
      const row = reader.session(id);
      return { json: row === undefined ? [] : [row] };
    },
  };
}

export function sessions(): Query {
  return {
    key: keyOf('session/list'),
    run: (reader) => ({ json: byId(reader.sessions()) }),
  };
}

export function sessionsOn(node: string): Query {
  return {
    key: keyOf('session/node', node),
    run: (reader) => ({ json: byId(reader.sessionsOn(node)) }),
  };
}

function byId(rows: Iterable<Session>): Session[] {
  return [...rows].sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
