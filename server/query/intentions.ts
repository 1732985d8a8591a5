/** Queries of /v1/connect/intentions: who may call whom. */
import { byPrecedence, shownIntention } from '../../lib/config-entries/intentions.ts';
import { isFrom } from '../../lib/connect/authorization.ts';
import type { IntentionsBy } from './config-reader.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

type Shown = ReturnType<typeof shownIntention>;

export function intentions(filter: string, keep: (shown: Shown) => boolean): Query {
  return {
    key: keyOf('intentions', filter),
    run: (reader) => {
      const all = reader.config.intentions().sort(byPrecedence).map(shownIntention);
      return { json: all.filter(keep) };
    },
  };
}

/** Those that are about a service, as it calls or is called; the one that counts first is first. */
export function matching(reader: Reader, by: IntentionsBy, name: string): Shown[] {
  return reader.config.intentionsAbout(by, name).sort(byPrecedence).map(shownIntention);
}

/** What is said of calls to a service, for whoever is called. */
export function intentionsOn(name: string): Query {
  return {
    key: keyOf('intentions/on', name),
    run: (reader) => ({ json: matching(reader, 'destination', name) }),
  };
}

/** Which one decides whether a call may be; undefined where nobody says anything. */
export function deciding(reader: Reader, source: string, destination: string) {
  const about = reader.config.intentionsDeciding(destination).sort(byPrecedence);
  return about.find(({ SourceName }) => isFrom(SourceName, source));
}
