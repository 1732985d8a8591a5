/** Queries of /v1/session. */
import type { Session } from '../../lib/model.ts';
import { nodeSessionsTopic, SESSIONS, sessionTopic } from '../state/topic-names.ts';
import { keyOf, type Query } from './query.ts';

export function session(id: string): Query {
  return {
    key: keyOf('session/info', id),
    topics: [sessionTopic(id)],
    run: (state) => {
      const row = state.sessions.get(id);
      return { json: row === undefined ? [] : [row] };
    },
  };
}

export function sessions(): Query {
  return {
    key: keyOf('session/list'),
    topics: [SESSIONS],
    run: (state) => ({ json: byId(state.sessions.table.values()) }),
  };
}

export function sessionsOn(node: string): Query {
  return {
    key: keyOf('session/node', node),
    topics: [nodeSessionsTopic(node)],
    run: (state) => ({ json: byId(state.sessions.on(node)) }),
  };
}

function byId(rows: Iterable<Session>): Session[] {
  return [...rows].sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
