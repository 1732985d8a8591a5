/** Instances in the zone of a proxy before others, where entries say so. */
import { isNearestFirst, type LocalitySaid } from '../../lib/config-entries/locality.ts';
import { inPath } from '../../lib/well-formed.ts';
import { objectIn, textIn } from '../../sidecar/said.ts';
import { asked, type Level } from '../resources/endpoints.ts';
import type { Seen } from './proxy.ts';

/** Each level as two: those near, and those that calls go to where nobody is near. */
export function nearestFirst(seen: Seen, service: string, levels: readonly Level[]) {
  const { know } = seen;
  const entries = [`service-resolver/${inPath(service)}`, 'proxy-defaults/global'];
  const said = entries.map((each) => objectIn(know(asked(`/v1/config/${each}`))) as LocalitySaid);
  if (!isNearestFirst(said)) return levels;
  const own = zoneOf(seen);
  if (own === '') {
    const what = `PrioritizeByLocality of ${JSON.stringify(service)}`;
    know.omit(what, 'the zone of the proxy is not known: Meta of it or of its node has no `zone`');
    return levels;
  }
  return levels.flatMap((level) => [
    level.filter(({ zone }) => zone === own),
    level.filter(({ zone }) => zone !== own),
  ]);
}

/** As that of instances: its own, else the node's, where its token may know that. */
function zoneOf({ know, registration: { zone } }: Seen): string {
  if (zone !== '') return zone;
  const self = objectIn(know({ path: '/v1/agent/self', query: [], unindexed: true }));
  return textIn(objectIn(self['Meta'])['zone']);
}
