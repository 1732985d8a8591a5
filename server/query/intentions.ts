/** Queries of /v1/connect/intentions: who may call whom. */
import { byPrecedence, shownIntention } from '../../lib/config-entries/intentions.ts';
import { isFrom } from '../../lib/connect/authorization.ts';
import type { IntentionsBy } from './config-reader.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

type Shown = ReturnType<typeof shownIntention>;

/** `destinations`: the only ones that the filter keeps; undefined where it may keep others. */
export interface Kept {
  readonly filter: string;
  readonly keep: (shown: Shown) => boolean;
  readonly destinations: readonly string[] | undefined;
}

/** Each sidecar follows those about its service: of all others it neither reads nor hears anything. */
export function intentions({ filter, keep, destinations }: Kept): Query {
  return {
    key: keyOf('intentions', filter),
    run: (reader) => {
      const { config } = reader;
      const all = destinations ? config.intentionsFor(destinations) : config.intentions();
      return { json: all.sort(byPrecedence).map(shownIntention).filter(keep) };
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
