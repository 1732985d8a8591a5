/** Queries of /v1/session. */
import type { SessionRow } from '../../lib/answers.ts';
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

/** Of so many keys each session is shown that holds more. */
const MAX_HELD = 100;

/** Each with the keys that it holds: what a page shows of all. Proconsul's own. */
export function sessionsAtAGlance(): Query {
  return {
    key: keyOf('overview/sessions'),
    run: (reader) => {
      const { keys } = reader;
      const rows = byId(reader.sessions()).map((session): SessionRow => {
        const held = keys.heldBy(session.ID);
        return { ...session, Keys: held.slice(0, MAX_HELD), KeysHeld: held.length };
      });
      return { json: rows };
    },
  };
}

function byId(rows: Iterable<Session>): Session[] {
  return [...rows].sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
