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
