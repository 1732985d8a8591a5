/** What there is to ask for, by path and method, as a real Eureka has it. */
import { ProconsulError } from '../../lib/errors.ts';
import type { StringMap } from '../../lib/model.ts';
import { wantedBy } from '../../lib/slices.ts';
import type { LogTime } from '../cluster/log-time.ts';
import type { Answers } from '../query/answers.ts';
import { ownStand } from '../query/eureka-reader.ts';
import type { Answer } from '../query/live-answer.ts';
import { asked, type Query } from '../query/query.ts';
import type { Readiness } from '../readiness.ts';
import { EUREKA_RECENT_MS, type VipKind } from '../state/eureka.ts';
import type { State } from '../state/state.ts';
import { takeBatch } from './batch.ts';
import { decodeBody, decodeRegistration, metadataIn, statusNamed } from './decode.ts';
import { Unparsable } from './faults.ts';
import type { LatelyAnswered } from './lately.ts';
import {
  allApps,
  appsByVip,
  changedApps,
  type Look,
  oneApp,
  oneInstance,
  writtenInstance,
} from './queries.ts';
import type { EurekaRegistry } from './registry.ts';
import { shown, shownRow } from './shown.ts';
import type { Reply, Visit } from './visit.ts';

/** An instance is a few kilobytes, most of it metadata. */
const MAX_INSTANCE_BYTES = 256 * 1024;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

export interface RowDeps {
  readonly state: () => State;
  readonly answers: Pick<Answers, 'readInRoom'>;
  readonly readiness: Pick<Readiness, 'ready'>;
  readonly lately: LatelyAnswered;
  readonly registry: EurekaRegistry;
  readonly logTime: LogTime;
  /** A service that is not shown, by its folded name; '' for none. */
  readonly hidden: string;
}

/** What stands in the path, decoded. */
export type Named = Readonly<Record<string, string>>;
export type Handle = (visit: Visit, named: Named) => Promise<Reply>;

export interface EurekaPath {
  readonly path: string;
  readonly GET?: Handle;
  readonly POST?: Handle;
  readonly PUT?: Handle;
  readonly DELETE?: Handle;
}

const DONE: Reply = { status: 200 };
const UNKNOWN: Reply = { status: 404 };

export function eurekaPaths(deps: RowDeps): readonly EurekaPath[] {
  const { registry, state } = deps;
  const since = () => {
    const now = state();
    return now.eureka.indexAt(deps.logTime.now(now) - EUREKA_RECENT_MS);
  };
  const list = (ask: (look: Look) => Query, what: string): Handle => reads(deps, ask, { what });
  const vips = (kind: VipKind): Handle =>
    reads(deps, (look, { vip = '' }) => appsByVip(look, kind, vip));
  return [
    { path: '/apps', GET: list(allApps, 'apps') },
    { path: '/apps/delta', GET: list((look) => changedApps(look, since()), 'delta') },
    {
      path: '/apps/:app',
      GET: reads(deps, (look, { app = '' }) => oneApp(look, app)),
      POST: (visit, named) => register(registry, visit, named),
    },
    {
      path: '/apps/:app/:id',
      GET: (visit, named) => showInstance(deps, visit, named),
      PUT: (visit, named) => renew(registry, visit, named),
      DELETE: async (visit, named) => found(await registry.cancel(visit, nameIn(named))),
    },
    {
      path: '/apps/:app/:id/status',
      PUT: (visit, named) => setStatus(registry, visit, named, true),
      DELETE: (visit, named) => setStatus(registry, visit, named, false),
    },
    {
      path: '/apps/:app/:id/metadata',
      PUT: async (visit, named) => {
        const sent = metadataOf(visit);
        return found(await registry.setMetadata(visit, nameIn(named), sent));
      },
    },
    { path: '/vips/:vip', GET: vips('vipAddress') },
    { path: '/svips/:vip', GET: vips('secureVipAddress') },
    { path: '/instances/:id', GET: reads(deps, (look, { id = '' }) => oneInstance(look, id)) },
    { path: '/peerreplication/batch', POST: (visit) => batch(registry, visit) },
    // Groups of Amazon's are none here.
    { path: '/asg/:name/status', PUT: async () => ({ status: 400 }) },
  ];
}

type Ask = (look: Look, named: Named) => Query;

interface List {
  /** A list of all, which may be a little older; compressed where that is asked for, as nothing else is. */
  readonly what?: string;
}

function reads(deps: RowDeps, ask: Ask, { what }: List = {}): Handle {
  return async (visit, named) => {
    const { form } = visit;
    if (form === undefined) return { status: 406 };
    await deps.readiness.ready('leader');
    const query = ask({ form, isCompact: visit.isCompact, hidden: deps.hidden }, named);
    const list = what === undefined ? undefined : `${what} ${form} ${visit.isCompact}`;
    const { status, contentType, body } = await answerTo(deps, visit, query, list);
    if (status !== 200) return { status };
    const bytes = await wantedBy(visit, body);
    const zips = what !== undefined && visit.wantsGzip;
    return { status, contentType, body: bytes, ...(zips && { zips }) };
  };
}

/** As whoever may have stood in line for it has it by then. */
async function answerTo(
  { answers, lately }: RowDeps,
  visit: Visit,
  query: Query,
  list: string | undefined,
): Promise<Answer> {
  for (;;) {
    const caller = await visit.callerStill();
    const question = asked(query, caller.rights);
    const answer =
      list === undefined
        ? await answers.readInRoom(question, visit)
        : await lately.readInRoom(list, question, visit);
    if (caller.stands()) return answer;
  }
}

/** With when it was renewed, which no row says. */
async function showInstance(deps: RowDeps, visit: Visit, named: Named): Promise<Reply> {
  const { app, id } = nameIn(named);
  const reply = await reads(deps, (look) => oneInstance(look, id, app))(visit, named);
  const now = deps.state();
  const row = now.eureka.get(app, id);
  if (reply.status !== 200 || row === undefined) return reply;
  const renewedAt = await deps.registry.renewedAt(row, deps.logTime.now(now));
  return conflictOf(visit, 200, { ...shown(ownStand(now, row)), renewedAt });
}

function conflictOf(visit: Visit, status: number, shown: ReturnType<typeof shownRow>): Reply {
  const { bytes, contentType = '' } = writtenInstance(visit.form ?? 'xml', shown);
  return { status, contentType, ...(bytes && { body: bytes }) };
}

async function register(registry: EurekaRegistry, visit: Visit, named: Named): Promise<Reply> {
  const form = visit.sentForm;
  if (form === undefined) return { status: 415 };
  await visit.callerStill();
  const body = await decodeBody(await visit.body(MAX_INSTANCE_BYTES), form);
  const info = decodeRegistration(body, form, nameIn(named).app);
  await registry.register(visit, info, visit.isReplica);
  return { status: 204 };
}

async function renew(registry: EurekaRegistry, visit: Visit, named: Named): Promise<Reply> {
  const { isReplica } = visit;
  const known = await registry.renew(visit, {
    ...nameIn(named),
    dirtyAt: dirtyAt(visit),
    isReplica,
  });
  if (typeof known === 'boolean') return found(known);
  return conflictOf(visit, 409, shownRow(known.known));
}

async function setStatus(
  registry: EurekaRegistry,
  visit: Visit,
  named: Named,
  override: boolean,
): Promise<Reply> {
  const said = visit.params.get('value');
  const status = said === '' && !override ? 'UNKNOWN' : statusNamed(said);
  if (status === undefined) throw new ProconsulError('rejected', 'unknown status');
  const change = { ...nameIn(named), status, override, dirtyAt: dirtyAt(visit) };
  return found(await registry.setStatus(visit, change));
}

async function batch(registry: EurekaRegistry, visit: Visit): Promise<Reply> {
  const form = visit.sentForm;
  if (form === undefined) return { status: 415 };
  await visit.callerStill();
  if (form === 'xml') throw new Unparsable();
  const body = await decodeBody(await visit.body(MAX_BATCH_BYTES), form);
  const reply = await takeBatch(registry, visit, body);
  return {
    status: 200,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(reply)),
  };
}

/** Of a key that is there twice the first counts. */
function metadataOf({ queryString }: Visit): StringMap {
  const sent = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(queryString)) {
    if (key !== '$' && !key.startsWith('@') && !sent.has(key)) sent.set(key, value);
  }
  return metadataIn(Object.fromEntries(sent));
}

function found(isThere: boolean): Reply {
  return isThere ? DONE : UNKNOWN;
}

function nameIn({ app = '', id = '' }: Named) {
  return { app: app.toUpperCase(), id };
}

/** A real one falls over what is no number. */
function dirtyAt({ params }: Visit): number | undefined {
  if (!params.has('lastDirtyTimestamp')) return undefined;
  const said = params.get('lastDirtyTimestamp');
  if (!/^\d{1,15}$/.test(said)) throw new ProconsulError('rejected', 'no number');
  return Number(said);
}
