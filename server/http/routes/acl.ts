/** /v1/acl: access control, which is not there. */
import { ProconsulError } from '../../../lib/errors.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';

const METHODS: readonly Method[] = ['GET', 'PUT', 'POST', 'DELETE'];

/** A configuration that asks for access control does not start, so that this is always true. */
export function aclRoutes(): Route[] {
  return METHODS.map((method) => ({
    method,
    path: '/v1/acl/',
    right: anyone,
    does: 'refuses: there is no access control',
    anyDatacenter: true,
    handle: () => {
      throw new ProconsulError('unauthorized', 'ACL support disabled');
    },
  }));
}
