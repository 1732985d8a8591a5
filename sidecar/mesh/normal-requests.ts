/** How requests are written before anybody judges them, as the config entry `mesh` says it for whoever lets calls in. */
import { type Fields, without } from '../http/fields.ts';
import type { Head, Unclear } from '../http/head.ts';
import { pathnameOf } from '../http/matching.ts';
import { decodedUnreserved } from '../http/percent.ts';
import { merged, withoutDots } from '../http/plain-path.ts';
import { listIn, objectIn, type Said, textIn } from '../said.ts';

export type Normal = (head: Head) => Head | Unclear;

export const AS_THEY_CAME: Normal = (head) => head;

/** Of the entries of that kind, of which there is one at most. What it does not say stays as it came. */
export function normalIn(json: unknown): Normal {
  const { Incoming } = objectIn(listIn(json)[0]?.['HTTP']);
  const said = objectIn(objectIn(Incoming)['RequestNormalization']);
  if (Object.keys(said).length === 0) return AS_THEY_CAME;
  const [written, kept] = [pathBy(said), fieldsBy(said)];
  return (head) => {
    const pathname = pathnameOf(head.path);
    const normal = NOT_PLAIN.test(pathname) ? written(pathname) : pathname;
    const fields = kept(head.fields);
    if (normal === undefined || fields === undefined) return 'unclear';
    if (normal === pathname && fields === head.fields) return head;
    return { ...head, fields, path: normal + head.path.slice(pathname.length) };
  };
}

const NOT_PLAIN = /[%\\]|\/\/|\/\./;
const SLASH = /%2f|%5c/gi;

/** In Envoy's order. Undefined for what is refused. */
function pathBy(said: Said): (pathname: string) => string | undefined {
  const action = textIn(said['PathWithEscapedSlashesAction']);
  const hasDots = said['InsecureDisablePathNormalization'] === true;
  const merges = said['MergeSlashes'] === true;
  return (pathname) => {
    let path = pathname;
    if (action === 'REJECT_REQUEST' && path.search(SLASH) >= 0) return undefined;
    // Nobody is led elsewhere here: who would be told to come again goes on with the same path.
    if (action.startsWith('UNESCAPE')) path = path.replace(SLASH, '/');
    if (!hasDots) path = withoutDots(decodedUnreserved(path.replaceAll('\\', '/')));
    return merges ? merged(path) : path;
  };
}

function fieldsBy(said: Said): (fields: Fields) => Fields | undefined {
  const action = textIn(said['HeadersWithUnderscoresAction']);
  if (action !== 'REJECT_REQUEST' && action !== 'DROP_HEADER') return (fields) => fields;
  return (fields) => {
    const names = fields.filter((name, i) => i % 2 === 0 && name.includes('_'));
    if (names.length === 0) return fields;
    return action === 'DROP_HEADER' ? without(fields, new Set(names)) : undefined;
  };
}
