/** /v1/operator/kv-revisions: of which keys what they said before is kept, and how much of it. */
import { decoder } from '../../../lib/decode.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, param } from '../../../lib/http/takes.ts';
import type { RevisionSettings } from '../../commands.ts';
import { type ReadDeps, type StateDeps, type WriteDeps, write } from '../deps.ts';
import { fresh } from '../reads.ts';

type Deps = ReadDeps & WriteDeps;

const DEFAULTS: RevisionSettings = {
  Prefixes: [],
  Count: 20,
  MaxAge: 0,
  MaxBytes: 16 * 1024 * 1024,
};
/** Each write of a key looks through them. */
const MAX_PREFIXES = 64;
const MAX_COUNT = 1000;
/** They are in the memory of every server. */
const MAX_BYTES = 256 * 1024 * 1024;

export function kvRevisionsRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/operator/kv-revisions',
      params: CONSISTENCY,
      right: needs('operator:read'),
      does: "shows which keys' revisions are kept (Proconsul's own)",
      handle: async (request) => {
        return await fresh(deps, request, () => ({ json: shown(deps) }));
      },
    },
    {
      method: 'PUT',
      path: '/v1/operator/kv-revisions',
      right: needs('operator:write'),
      params: { cas: param.number('only where nobody has changed it since this ModifyIndex') },
      body: settingsBody,
      does: "says which keys' revisions are kept, and how much of them (Proconsul's own)",
      handle: (request) => set(deps, request),
    },
  ];
}

function shown({ state }: StateDeps) {
  const { settings } = state().revisions;
  const row = settings ?? { ...DEFAULTS, CreateIndex: 0, ModifyIndex: 0 };
  return { ...row, MaxAge: formatDuration(row.MaxAge) };
}

const settingsBody = decoder<RevisionSettings>({
  type: 'object',
  properties: {
    Prefixes: {
      type: 'array',
      maxItems: MAX_PREFIXES,
      items: { type: 'string' },
      default: [...DEFAULTS.Prefixes],
    },
    Count: { type: 'integer', minimum: 1, maximum: MAX_COUNT, default: DEFAULTS.Count },
    MaxAge: { duration: true, default: DEFAULTS.MaxAge },
    MaxBytes: { type: 'integer', minimum: 0, maximum: MAX_BYTES, default: DEFAULTS.MaxBytes },
  },
  // Clients send back what they have read.
  unheeded: ['CreateIndex', 'ModifyIndex'],
});

async function set(deps: Deps, request: HttpRequest): Promise<Reply> {
  const settings = await request.json(settingsBody);
  if (settings.MaxAge < 0) throw new ProconsulError('invalid', 'MaxAge must not be negative');
  const { params } = request;
  const cas = params.uint64('cas');
  if (params.has('cas') && cas === undefined) throw new ProconsulError('invalid', 'Invalid cas');
  const command = { type: 'set-revisions', settings, ...(cas !== undefined && { cas }) } as const;
  return { json: (await write(request, deps, command)).applied };
}
