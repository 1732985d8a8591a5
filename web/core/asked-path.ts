/** Paths of the API, as they are asked for. */
import { otherDatacenter } from './datacenter.ts';

/** Of the data centre that the reader is in; the same where it names one already. */
export function inDatacenter(path: string, dc = otherDatacenter.value): string {
  if (dc === '' || /[?&]dc=/.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ dc })}`;
}

/** A path with a query string of what is not empty. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const kept = Object.entries(query).filter(([, value]) => value !== '');
  if (kept.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(kept)}`;
}
