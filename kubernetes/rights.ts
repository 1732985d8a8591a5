/** What the token may read of the catalog, which is silent of all else, as of what is not there. */
import { ProconsulError } from '../lib/errors.ts';
import { objectsIn, textIn } from './api/shapes.ts';
import type { Catalog } from './catalog.ts';

/** In one request: so many a server takes. */
const MAX_QUESTIONS = 64;
const OFF = /ACL support disabled/i;

/** Of those names the ones that it may not read: what is not there of them may only be hidden. */
export async function hiddenOf(
  catalog: Catalog,
  resource: 'key' | 'service' | 'node',
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const hidden: string[] = [];
  for (let at = 0; at < names.length; at += MAX_QUESTIONS) {
    const asked = names.slice(at, at + MAX_QUESTIONS);
    const body = asked.map((Segment) => ({ Resource: resource, Access: 'read', Segment }));
    const path = '/v1/internal/acl/authorize';
    const request = { method: 'POST', path, body, accept: [401] } as const;
    const answer = await catalog.ask(request, signal);
    if (answer.status === 401 && OFF.test(answer.text)) return [];
    const allowed = objectsIn(answer.status === 200 ? answer.json : undefined).filter(
      ({ Allow }) => Allow === true,
    );
    const seen = new Set(allowed.map(({ Segment }) => textIn(Segment)));
    hidden.push(...asked.filter((name) => !seen.has(name)));
  }
  return hidden;
}

/** Rejects with a ProconsulError where one of them may only be hidden. */
export async function refuseHidden(
  catalog: Catalog,
  resource: 'key' | 'service' | 'node',
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [first, ...others] = await hiddenOf(catalog, resource, names, signal);
  if (first === undefined) return;
  const all = others.length === 0 ? '' : `, and ${others.length} more`;
  const why = `the token may not read ${resource} "${first}"${all}: what is hidden is not gone`;
  throw new ProconsulError('forbidden', why);
}
