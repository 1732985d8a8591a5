/** A server's own certificate authority as the agent in the same process sees it. */
import type { Authority } from '../../agent/connect/authority.ts';
import { EVERYTHING } from '../../lib/acl/rights.ts';
import type { Matched } from '../../lib/connect/authorization.ts';
import { type CaRoots, CONNECT_OFF } from '../../lib/connect/model.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { Work } from '../../lib/slices.ts';
import { writeAs } from '../../server/http/deps.ts';
import { caRoots } from '../../server/query/authority.ts';
import { intentionsOn } from '../../server/query/intentions.ts';
import type { Answer } from '../../server/query/live-answer.ts';
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
      await whole(deps);
      const question = asked(caRoots(), EVERYTHING);
      const current = deps.answers.read(question);
      const isNews = current.index !== seenIndex;
      const answer = isNews
        ? current
        : await deps.answers.next(question, { seenIndex, waitMs }, signal);
      return { index: answer.index, roots: (await jsonOf(answer)) as CaRoots };
    },
    async sign(csr, token) {
      const { signer } = on();
      const asking = { callerStill: () => access.callerOf(token) };
      return await signer.sign(csr, (service) =>
        writeAs(asking, deps, { type: 'take-serial', service }),
      );
    },
    async intentionsOn(service, token) {
      const { rights } = await access.callerOf(token);
      await whole(deps);
      const question = asked(intentionsOn(service), rights);
      const intentions = (await jsonOf(deps.answers.read(question))) as readonly Matched[];
      return { intentions, isHit: deps.answers.wasCached(question) };
    },
  };
}

/** Resolves once there is a state to answer from. */
async function whole({ readiness }: Server['deps']): Promise<void> {
  const demand = { consistency: 'stale', maxStaleMs: Number.POSITIVE_INFINITY } as const;
  await readiness.ready(readiness.consistency(demand));
}

async function jsonOf({ body }: Answer): Promise<unknown> {
  if (!(body instanceof Work)) return decodeJson(body.toString());
  const leave = body.want();
  try {
    return decodeJson((await body.result).toString());
  } finally {
    leave();
  }
}
