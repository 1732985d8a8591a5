import type { Authority } from '../../../agent/connect/authority.ts';
import { CONNECT_OFF } from '../../../lib/connect/model.ts';
import { ProconsulError } from '../../../lib/errors.ts';

/** Servers without a mesh. */
export const noAuthority: Authority = {
  roots: () => Promise.reject(new ProconsulError('rejected', CONNECT_OFF)),
  sign: () => Promise.reject(new ProconsulError('rejected', CONNECT_OFF)),
  intentionsOn: async () => ({ intentions: [], isHit: false }),
  defaults: () => Promise.reject(new ProconsulError('unavailable', 'no server is known')),
};
