/** Sessions as the API has them, and what may be done with them. */
import type { Session } from '../../lib/model.ts';
import type { Action } from './action.ts';

const NS_PER_MS = 1e6;

export function lockDelayMs({ LockDelay }: Session): number {
  return LockDelay / NS_PER_MS;
}

export function invalidate(session: string): Action {
  return { method: 'PUT', path: `/v1/session/destroy/${encodeURIComponent(session)}` };
}
