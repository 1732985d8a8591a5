/** /v1/snapshot: the whole state, as an archive that a Consul can read too. */
import { packArchive } from '../../../lib/archive/pack.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY } from '../../../lib/http/takes.ts';
import { MAX_SNAPSHOT_BYTES } from '../../../lib/limits.ts';
import { type RestoreDeps, Restorer } from '../archive/restore.ts';
import { recordsOf } from '../archive/write-rows.ts';
import { type ReadDeps, readFor, type StateDeps, write } from '../deps.ts';
import { demandOf } from '../reads.ts';

type Deps = Pick<ReadDeps, 'readiness'> & StateDeps & RestoreDeps;

export function snapshotRoutes(deps: Deps): Route[] {
  const restorer = new Restorer(deps);
  // Whoever reads everything reads the secrets of all tokens.
  const right = needs('acl:write');
  return [
    {
      method: 'GET',
      path: '/v1/snapshot',
      params: CONSISTENCY,
      right,
      does: 'saves everything in an archive',
      handle: (request) => save(deps, request),
    },
    {
      method: 'PUT',
      path: '/v1/snapshot',
      right,
      body: { what: 'an archive, as the row above gives it' },
      does: 'puts an archive in place of everything',
      async handle(request) {
        await restorer.restore({
          read: () => request.body(MAX_SNAPSHOT_BYTES),
          gone: request.signal,
          begin: (command) => write(request, deps, command),
        });
        return {};
      },
    },
  ];
}

async function save(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { readiness } = deps;
  const consistency = readiness.consistency(demandOf(request.params));
  const { index, ...archive } = await readFor(deps, request, consistency, () => {
    const state = deps.state();
    const { index, position, epoch, t } = state;
    return { index, ID: `${epoch}-${position}-${t}`, Term: epoch, state: recordsOf(state) };
  });
  return {
    headers: {
      'Content-Type': 'application/x-gzip',
      'X-Consul-Index': String(index),
      'X-Consul-Knownleader': String(readiness.knownLeader),
      'X-Consul-Lastcontact': String(readiness.ageMs(consistency)),
    },
    stream: await packArchive({ ...archive, Index: index }),
  };
}
