/** What the cluster has, against what it is to have. */
import { sameJson } from '../../lib/equal.ts';
import { objectIn, objectsIn, pairsIn, type Said, textsIn } from '../api/shapes.ts';
import type { Manifest } from './manifests.ts';

export function typeOf(object: Said): unknown {
  return objectIn(object['spec'])['type'] ?? object['addressType'];
}

/** As far as we say it; what others add, or the server fills in, is theirs. */
export function says(there: Said, wanted: Manifest): boolean {
  const meta = objectIn(there['metadata']);
  const [labels, notes] = [labelsOf(there), pairsIn(meta['annotations'])];
  const { labels: ours, annotations = {}, ownerReferences = [] } = wanted.metadata;
  return (
    Object.entries(ours).every(([key, value]) => labels.get(key) === value) &&
    Object.entries(annotations).every(([key, value]) => notes.get(key) === value) &&
    sameJson(objectsIn(meta['ownerReferences']).map(bare), ownerReferences) &&
    ['spec', 'endpoints', 'ports'].every((field) => contains(there[field], wanted[field]))
  );
}

export function labelsOf(object: Said): ReadonlyMap<string, string> {
  return pairsIn(objectIn(object['metadata'])['labels']);
}

/** Of an owner, what counts. */
export function bare({ apiVersion, kind, name, uid }: Said) {
  return { apiVersion, kind, name, uid };
}

/** Whether all that is wanted is there: fields more are the server's, elements more are none. */
function contains(there: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    const list = Array.isArray(there) ? there : [];
    return list.length === wanted.length && wanted.every((each, i) => contains(list[i], each));
  }
  if (typeof wanted !== 'object' || wanted === null) return there === wanted;
  return Object.entries(wanted).every(([key, value]) => contains(objectIn(there)[key], value));
}

/** Ours over what is there, by its version. */
export function merged(there: Said, wanted: Manifest): object {
  const meta = objectIn(there['metadata']);
  const { labels, annotations, ...metadata } = wanted.metadata;
  return {
    ...there,
    ...wanted,
    metadata: {
      ...meta,
      ...metadata,
      labels: { ...objectIn(meta['labels']), ...labels },
      annotations: { ...objectIn(meta['annotations']), ...annotations },
    },
    ...(wanted['spec'] !== undefined && {
      spec: { ...objectIn(there['spec']), ...wanted['spec'] },
    }),
  };
}

/** In which slice each address is, by address and the slice's group. */
export function placesIn(slices: ReadonlyMap<string, Said>): ReadonlyMap<string, string> {
  const places = [...slices].flatMap(([name, slice]) => {
    const group = name.replace(/-\d+$/, '');
    return objectsIn(slice['endpoints'])
      .flatMap(({ addresses }) => textsIn(addresses))
      .map((address) => [`${address} ${group}`, name] as const);
  });
  return new Map(places);
}
