/** A server's own certificate authority as the agent in the same process sees it. */
import type { Authority } from '../../agent/connect/authority.ts';
import { EVERYTHING } from '../../lib/acl/rights.ts';
import type { CentralDefaults } from '../../lib/central-defaults.ts';
import type { Matched } from '../../lib/connect/authorization.ts';
import { type CaRoots, CONNECT_OFF } from '../../lib/connect/model.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { Work } from '../../lib/slices.ts';
import { writeAs } from '../../server/http/deps.ts';
import { caRoots } from '../../server/query/authority.ts';
import { centralDefaults } from '../../server/query/central-defaults.ts';
import { intentionsOn } from '../../server/query/intentions.ts';
import type { Answer, Wait } from '../../server/query/live-answer.ts';
import { asked, type Question } from '../../server/query/query.ts';
import type { Server } from '../../server/server.ts';

type Deps = Server['deps'];

export function serverAuthority({ access, deps }: Server): Authority {
  const on = () => {
    if (deps.connect === undefined) throw new ProconsulError('rejected', CONNECT_OFF);
    return deps.connect;
  };
  return {
    async roots(seenIndex, waitMs, signal) {
      on();
      const question = asked(caRoots(), EVERYTHING);
      const { index, json } = await after(deps, question, { seenIndex, waitMs }, signal);
      return { index, roots: json as CaRoots };
    },
    async sign({ token, ...asked }) {
      const { signer } = on();
      const asking = { callerStill: () => access.callerOf(token) };
      return await signer.sign(asked, (service) =>
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
    async defaults(of, token, wait, signal) {
      const { rights } = await access.callerOf(token);
      const question = asked(centralDefaults(of), rights);
      const { index, json } = await after(deps, question, wait, signal);
      return { index, defaults: json as CentralDefaults };
    },
  };
}

/** Once it has another index than the one that was seen, or the wait is over. */
async function after(deps: Deps, question: Question, wait: Wait, signal: AbortSignal) {
  await whole(deps);
  const current = deps.answers.read(question);
  const isNews = current.index !== wait.seenIndex;
  const answer = isNews ? current : await deps.answers.next(question, wait, signal);
  return { index: answer.index, json: await jsonOf(answer) };
}

/** Resolves once there is a state to answer from. */
async function whole({ readiness }: Deps): Promise<void> {
  const demand = { consistency: 'stale', maxStaleMs: Number.POSITIVE_INFINITY } as const;
  await readiness.read(readiness.consistency(demand), () => undefined);
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
