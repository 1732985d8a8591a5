/** What an API server says, as far as it is of the shape that is looked for: nothing of it is sure but that it is JSON. */
export type Said = Readonly<Record<string, unknown>>;

export function objectIn(said: unknown): Said {
  return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Said) : {};
}

export function listIn(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? said : [];
}

export function objectsIn(said: unknown): readonly Said[] {
  return listIn(said).map(objectIn);
}

export function textIn(said: unknown): string {
  return typeof said === 'string' ? said : '';
}

export function textsIn(said: unknown): readonly string[] {
  return listIn(said).filter((each) => typeof each === 'string');
}

export function numberIn(said: unknown): number {
  return typeof said === 'number' && Number.isInteger(said) ? said : 0;
}

/** Labels, annotations: by names that anybody may give, and so no plain object. */
export function pairsIn(said: unknown): ReadonlyMap<string, string> {
  const pairs = Object.entries(objectIn(said)).map(
    ([name, value]) => [name, textIn(value)] as const,
  );
  return new Map(pairs);
}

/** Versions of one object can be compared; of a cluster that was restored they begin anew, and are smaller for long. */
export function isOlder(now: Said, there: Said | undefined): boolean {
  const [a, b] = [now, there].map((each) => objectIn(each?.['metadata']));
  if (a?.['uid'] !== b?.['uid']) return false;
  const [is, was] = [a, b].map((each) => textIn(each?.['resourceVersion']));
  if (!/^\d{1,20}$/.test(is ?? '') || !/^\d{1,20}$/.test(was ?? '')) return false;
  return BigInt(is ?? 0) < BigInt(was ?? 0);
}
