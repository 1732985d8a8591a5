/** What a path comes to where dots and slashes are followed. */

/** RFC 3986, 5.2.4. */
export function withoutDots(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const [, ...parts] = path.split('/');
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  const last = parts.at(-1);
  if (last === '..' || last === '.') kept.push('');
  return `/${kept.join('/')}`;
}

export function merged(path: string): string {
  return path.replace(/\/{2,}/g, '/');
}

/** What a rule means that is written in another way than paths go on. Of a prefix nobody knows how its last part does. */
export function meantBy(rule: string, isPrefix: boolean): string {
  const slashed = merged(rule.replaceAll('\\', '/'));
  const whole = isPrefix ? slashed.slice(0, slashed.lastIndexOf('/') + 1) : slashed;
  return withoutDots(whole) + slashed.slice(whole.length);
}

/** As long as it is, with letters in place of all that no path goes on with: dots, codes, and slashes behind slashes. */
export function lettered(pathname: string): string {
  const letters = (found: string) => 'z'.repeat(found.length);
  return pathname
    .replace(/(?<=[/\\]|%2f|%5c)\.{1,2}(?=[/\\]|%2f|%5c|$)/gi, letters)
    .replace(/%[0-9a-f]{2}|\\|(?<=\/)\/+/gi, letters);
}
