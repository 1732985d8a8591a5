/** What is heard of the intentions about a service: whether anything about a caller has changed since it was decided about. */
import { parseIdentity } from '../../lib/connect/identity.ts';
import { objectIn, textIn } from '../said.ts';

/** By which intentions decide; not when they were written, or why. */
const DECIDES = [
  ...['SourceName', 'SourcePeer', 'SourceSamenessGroup', 'DestinationName', 'Precedence'],
  ...['Action', 'Permissions', 'JWT'],
];

/** The same texts for as long as all that is heard about a caller is the same. */
export interface About {
  readonly caller: string;
  readonly everybody: string;
}

export const NOTHING_ABOUT: About = { caller: '', everybody: '' };

export class HeardIntentions {
  #bySource: ReadonlyMap<string, string> = new Map();

  /** As the agent lists them; of what is no list nothing is heard. */
  take(json: unknown): void {
    const bySource = new Map<string, string>();
    for (const row of Array.isArray(json) ? json : []) {
      const said = objectIn(row);
      const source = textIn(said['SourceName']);
      const text = JSON.stringify(DECIDES.map((name) => said[name]));
      bySource.set(source, `${bySource.get(source) ?? ''}${text}\n`);
    }
    this.#bySource = bySource;
  }

  about(uri: string): About {
    const of = (source: string) => this.#bySource.get(source) ?? '';
    return { caller: of(serviceIn(uri)), everybody: of('*') };
  }

  isStill({ caller, everybody }: About, uri: string): boolean {
    const now = this.about(uri);
    return now.caller === caller && now.everybody === everybody;
  }
}

/** '' for who is no service of the mesh: nothing is heard about such a one by name. */
function serviceIn(uri: string): string {
  try {
    const found = parseIdentity(uri);
    return found.kind === 'service' ? found.identity.service : '';
  } catch {
    return '';
  }
}
