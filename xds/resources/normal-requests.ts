/**
 * How requests are written that a proxy judges: a path that can be read in two ways, it has to read as the program
 * behind it does. The mesh's entry says, else those are made one that permissions go by.
 */
import { objectIn, type Said, textIn } from '../../sidecar/said.ts';
import type { Message } from '../resource.ts';
import type { Know } from '../worked.ts';
import type { Judged } from './intentions.ts';
import { meshEntry } from './mesh-entry.ts';

/** Whoever is denied by a header would say it in other signs, which many programs take for the same. */
const UNHEARD =
  'no request has it: headers with underscores are taken off, as the entry `mesh` says or permissions go by headers (HTTP.Incoming.RequestNormalization.HeadersWithUnderscoresAction)';
const REFUSED =
  'no request that has it is heard: headers with underscores are refused, as the entry `mesh` says (HTTP.Incoming.RequestNormalization.HeadersWithUnderscoresAction)';

/** Fields of a manager of connections. */
export function normalRequests(know: Know, judged: Judged): Message {
  const said = normalization(meshEntry(know));
  const merges = said['MergeSlashes'];
  const underscores =
    textIn(said['HeadersWithUnderscoresAction']) || (judged.headers ? 'DROP_HEADER' : 'ALLOW');
  for (const name of underscores === 'ALLOW' ? [] : judged.underscored)
    know.omit(
      `header ${JSON.stringify(name)} of permissions`,
      underscores === 'REJECT_REQUEST' ? REFUSED : UNHEARD,
    );
  const slashes =
    textIn(said['PathWithEscapedSlashesAction']) ||
    (judged.paths ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED');
  return {
    normalize_path: { value: said['InsecureDisablePathNormalization'] !== true },
    merge_slashes: typeof merges === 'boolean' ? merges : judged.paths,
    path_with_escaped_slashes_action: slashes,
    common_http_protocol_options: { headers_with_underscores_action: underscores },
  };
}

/** Nothing where nobody has said anything of it. */
function normalization({ HTTP }: Said): Said {
  const { Incoming } = objectIn(HTTP);
  return objectIn(objectIn(Incoming)['RequestNormalization']);
}
