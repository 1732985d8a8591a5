import type { ResolvedToken } from '../../lib/acl/resolving.ts';
import { type AccessControl, EVERYTHING, type Rights } from '../../lib/acl/rights.ts';
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { fromHeaderText } from '../../lib/http/header-text.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import type { LogAccount } from '../../lib/log-account.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { withFields } from '../../lib/with-fields.ts';
import { type Judgeable, judge } from '../acl/judge.ts';
import type { HeardLoads } from '../cluster/heard-loads.ts';
import type { HeardPlaces } from '../cluster/heard-places.ts';
import type { Members } from '../cluster/members.ts';
import type { Cluster } from '../cluster/peers.ts';
import type { Command } from '../commands.ts';
import type { CertificateAuthority } from '../connect/authority.ts';
import type { LeafSigner } from '../connect/leaf-signer.ts';
import type { Reporting } from '../external/agentless.ts';
import type { ClusterKeyring } from '../keyring.ts';
import type { Answers } from '../query/answers.ts';
import type { Wait } from '../query/live-answer.ts';
import type { Standing } from '../query/standing.ts';
import type { Consistency, Readiness } from '../readiness.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';

/** How much may be written at once, as the configuration says. */
export interface WriteLimits {
  readonly kvValueBytes: number;
  readonly txnBytes: number;
}

/** Where a request is answered. */
export interface PlaceDeps {
  readonly datacenter: string;
  /** Under which names are found by DNS, with a dot at its end. */
  readonly domain: string;
  /** The node that this server is: where a session is made when nobody says where. */
  readonly node: string;
}

/** What a row that reads stands on. */
export interface ReadDeps {
  readonly answers: Answers;
  readonly standing: Standing;
  readonly readiness: Pick<
    Readiness,
    'begun' | 'read' | 'isAgreed' | 'ready' | 'caughtUp' | 'consistency' | 'knownLeader' | 'ageMs'
  >;
  readonly random: Random;
}

/** What a row looks into that a query does not show. */
export interface StateDeps {
  /** As `readiness` hands it out. */
  readonly state: () => State;
}

/** Who may do what, where the request's own caller does not say it. */
export interface AccessDeps {
  readonly access: AccessControl;
}

export interface KeyDeps {
  /** acl.enable_key_list_policy: to list a folder its own right is needed. */
  readonly listsNeedRight: boolean;
}

/** What a row that writes stands on. */
export interface WriteDeps extends StateDeps {
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly logger: Logger;
  readonly limits: WriteLimits;
}

export interface MeshDeps {
  /** Whether a service may call another one of which no intention says anything. */
  readonly callsByDefault: boolean;
}

export interface SessionDeps {
  readonly renewSession: (id: string) => Promise<void>;
  readonly sessionTtlMinMs: number;
}

/** What is said of nodes that have no agent. */
export interface AgentlessDeps extends WriteDeps {
  readonly readiness: Pick<Readiness, 'read'>;
  readonly reporting: Reporting;
}

/** The file by which whoever has the machine may make another first token. */
export interface ResetFile {
  /** The index that it names; 0 where there is none, or nonsense in it. */
  read(): Promise<number>;
  /** It counts once. */
  remove(): Promise<void>;
}

/** Who is there. */
export interface ClusterDeps {
  readonly cluster: Cluster;
  readonly members: Members;
  readonly clock: Clock;
}

/** The log as this server has it: of the others nothing is said. */
export interface LogDeps {
  readonly log: {
    account(): Promise<LogAccount>;
    status(): { readonly writable: boolean; readonly lastContactMs: number };
    servers(): { readonly seen: readonly unknown[]; readonly needed: number };
  };
}

export interface LoadDeps {
  readonly loads: Pick<HeardLoads, 'take'>;
}

export interface CoordinateDeps {
  /** Undefined where nodes have none. */
  readonly places: Pick<HeardPlaces, 'take' | 'answered'> | undefined;
}

export interface KeyringDeps {
  /** Undefined where the log is not sealed. */
  readonly keyring: ClusterKeyring | undefined;
}

export interface AclSwitch {
  /** Undefined where there is no access control. */
  readonly acl: AclParts | undefined;
}

export interface AclParts {
  readonly resetFile: ResetFile;
  /** What a token may do, for an agent that has no state; without its rules where those are known. */
  readonly resolve: (token: string, known: string) => Promise<ResolvedToken>;
}

export interface ConnectSwitch {
  /** Undefined where there is no mesh. */
  readonly connect: ConnectParts | undefined;
}

export interface ConnectParts {
  readonly authority: Pick<CertificateAuthority, 'configure'>;
  readonly signer: Pick<LeafSigner, 'sign'>;
}

/** What the routes of a server stand on; each asks for those parts alone that it uses. */
export interface ServerDeps
  extends PlaceDeps,
    ReadDeps,
    WriteDeps,
    AccessDeps,
    KeyDeps,
    SessionDeps,
    Pick<AgentlessDeps, 'reporting'>,
    MeshDeps,
    ClusterDeps,
    CoordinateDeps,
    LoadDeps,
    KeyringDeps,
    LogDeps,
    AclSwitch,
    ConnectSwitch {}

/** How often a command is judged whose object others change in between. */
const MAX_JUDGEMENTS = 8;

type Asking = Pick<HttpRequest, 'callerStill'>;

type Reading = Pick<HttpRequest, 'caller' | 'callerStill'>;

/**
 * As Readiness.read, and `caller` is who asks as `evaluate` is called. Rights may go while a read is held back: what is
 * written after that is not for who had them.
 */
export function readFor<T>(
  { readiness }: Pick<ReadDeps, 'readiness'>,
  request: Reading,
  consistency: Consistency,
  evaluate: () => T | Promise<T>,
  wait?: Wait,
): T | Promise<T> {
  let isHeld = false;
  const held = async () => {
    while (!request.caller.stands()) await request.callerStill();
    return await evaluate();
  };
  const told = readiness.read(consistency, () => (isHeld ? held() : evaluate()), wait);
  isHeld = true;
  if (!(told instanceof Promise)) return told;
  return told.then(async (value) => {
    // A majority may have been asked since it was evaluated.
    if (request.caller.stands()) return value;
    return await readFor({ readiness }, request, consistency, held, wait);
  });
}

/** Resolves when the state is as new as any acknowledged write, and `caller` is who asks by then. */
export async function readyFor(
  { readiness }: Pick<ReadDeps, 'readiness'>,
  request: Reading,
): Promise<void> {
  const ready = readiness.ready('leader');
  if (ready === undefined) return;
  await ready;
  while (!request.caller.stands()) await request.callerStill();
}

type Writing = Pick<WriteDeps, 'propose' | 'state'>;

/** Proposes what whoever asks may do, and turns what the state refused into Consul's error. */
export function writeAs(asking: Asking, deps: Writing, command: Judgeable): Promise<Outcome> {
  return writeBy(asking, deps, (rights) =>
    rights.all ? command : judge(deps.state(), rights, command),
  );
}

/** Refuses what whoever asks may not do, by what is stored now. */
export async function vet(
  asking: Asking,
  { state }: Pick<WriteDeps, 'state'>,
  command: Judgeable,
): Promise<void> {
  const { rights } = await asking.callerStill();
  if (!rights.all) judge(state(), rights, command);
}

/** What its row sees to. */
export type Unjudged = Exclude<Command, Judgeable>;

/** As `writeAs`, of what is not judged by what is stored. */
export function write(asking: Asking, deps: Writing, command: Unjudged): Promise<Outcome> {
  return writeBy(asking, deps, () => command);
}

/** `judged`: the command with its judgement; throws what whoever asks may not do. */
async function writeBy(
  asking: Asking,
  deps: Writing,
  judged: (rights: Rights) => Command,
): Promise<Outcome> {
  for (let n = 0; n < MAX_JUDGEMENTS; n++) {
    // It may have waited for what it is judged by, or be judged anew.
    const { rights, accessorId: accessor } = await asking.callerStill();
    const { index: at } = deps.state();
    const command = judged(rights);
    const isAsked = rights !== EVERYTHING;
    // By no spread of two: see with-fields.ts. Each took a microsecond, and another two to be written.
    const whole = isAsked ? withFields(command, { by: { accessor, at } }) : command;
    const outcome = await proposed(deps, whole);
    if (outcome.outdated !== true) return outcome;
  }
  throw new ProconsulError('unavailable', 'what this changes is changed by others all the time');
}

async function proposed(deps: Pick<WriteDeps, 'propose'>, command: Command): Promise<Outcome> {
  const outcome = await deps.propose(command);
  if (outcome.refused !== undefined) throw new ProconsulError('rejected', outcome.refused);
  return outcome;
}

/** Other data centres are not known here. */
export function checkDatacenter(deps: PlaceDeps, name: string): void {
  if (name !== '' && name !== deps.datacenter) {
    throw new ProconsulError('rejected', 'No path to datacenter');
  }
}

/** The node that asks: the agent that passed the request on says its own name. */
const NODE_HEADER = 'x-proconsul-node';

/** The id of the node that an agent takes something of its own out of. */
export const NODE_ID_HEADER = 'x-proconsul-node-id';

export function askingNode(deps: PlaceDeps, request: HttpRequest): string {
  const named = request.headers[NODE_HEADER];
  return typeof named === 'string' && named !== '' ? fromHeaderText(named) : deps.node;
}

/** The rest of the path, which must be there. */
export function required(rest: string, what: string): string {
  if (rest === '') throw new ProconsulError('invalid', `Missing ${what}`);
  if (rest.includes('\0')) throw new ProconsulError('invalid', `Invalid ${what}`);
  return rest;
}
