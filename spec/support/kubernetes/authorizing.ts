/** Answers what a token may read, where the server's own rows of access control are not there, as with tokens by hand. */
import type { FakeAccess } from '../fakes/fake-access.ts';
import type { Instead } from './syncs.ts';

interface Question {
  readonly Resource: 'key' | 'service' | 'node';
  readonly Segment: string;
}

/** spec/kubernetes/rights.spec.ts asks those rows themselves. */
export function authorizing(access: FakeAccess | undefined, token: string): Instead {
  return ({ path, body }) => {
    if (path !== '/v1/internal/acl/authorize') return undefined;
    const rights = access?.callerOf(token).rights;
    const json = (body as readonly Question[]).map(({ Resource, Segment }) => ({
      Segment,
      Allow: rights?.may(Resource, 'read', Segment),
    }));
    return { status: 200, index: '', text: '', json };
  };
}
