/** A server's own certificate authority as the agent in the same process sees it. */
import type { Authority } from '../../agent/connect/authority.ts';
import { EVERYTHING } from '../../lib/acl/rights.ts';
import { type CaRoots, CONNECT_OFF } from '../../lib/connect/model.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { writeAs } from '../../server/http/deps.ts';
import { caRoots } from '../../server/query/authority.ts';
import { asked } from '../../server/query/query.ts';
import type { Server } from '../../server/server.ts';

export function serverAuthority({ access, deps }: Server): Authority {
  const on = () => {
    if (deps.connect === undefined) throw new ProconsulError('rejected', CONNECT_OFF);
    return deps.connect;
  };
  return {
    async roots(seenIndex, waitMs, signal) {
      on();
      const question = asked(caRoots(), EVERYTHING);
      await deps.readiness.ready(
        deps.readiness.consistency({ consistency: 'stale', maxStaleMs: Number.POSITIVE_INFINITY }),
      );
      const current = deps.answers.read(question);
      const { index, body } =
        current.index !== seenIndex
          ? current
          : await deps.answers.next(question, { seenIndex, waitMs }, signal);
      return { index, roots: decodeJson((await body).toString()) as CaRoots };
    },
    async sign(csr, token) {
      const { signer } = on();
      const asking = { callerStill: () => access.callerOf(token) };
      return await signer.sign(csr, (service) =>
        writeAs(asking, deps, { type: 'take-serial', service }),
      );
    },
  };
}
