/** Request targets with parts of their query string taken away or added. */

export function withParams(target: string, added: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(added).toString();
  return target + (target.includes('?') ? '&' : '?') + query;
}

/** All other parameters stay as they came, character by character. */
export function withoutParams(target: string, names: ReadonlySet<string>): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter((part) => !names.has(part.split('=', 1)[0] ?? ''));
  const path = target.slice(0, mark);
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}
