/** Who may call a service, by the intentions about it, as filters of Envoy's: they let in, and never keep out. */
import { asInUrl } from '../../lib/connect/identity.ts';
import { isWellFormed } from '../../lib/well-formed.ts';
import { goesByPath } from '../../sidecar/by-path.ts';
import { objectIn } from '../../sidecar/said.ts';
import type { LeaveOut } from '../omissions.ts';
import { faultIn } from '../refusable.ts';
import type { Message } from '../resource.ts';
import type { Know } from '../worked.ts';
import { matchFault } from './acceptable.ts';
import type { HttpMatch } from './chain.ts';
import { asked } from './endpoints.ts';
import { ANY, requestOf } from './requests.ts';
import { regex } from './routes.ts';
import { anyBut as anyTextBut, quoted } from './text-patterns.ts';

/** As /v1/connect/intentions/match lists them: the first one that is about a caller decides. */
export interface Intention {
  readonly SourceName: string;
  /** '' where permissions decide. */
  readonly Action: string;
  readonly Permissions?: readonly Permission[];
}

export interface Permission {
  readonly Action: string;
  readonly HTTP?: HttpMatch | null;
  /** Of the token of a user, which is not looked at. */
  readonly JWT?: unknown;
}

/** Undefined where they may not be seen: then nobody is let in by them. */
export function intentionsOn(know: Know, service: string): readonly Intention[] | undefined {
  const about = [service, '*'].map((name) => `DestinationName == ${JSON.stringify(name)}`);
  const after = asked('/v1/connect/intentions', { filter: about.join(' or ') });
  const found = know({
    path: '/v1/connect/intentions/match',
    query: [
      ['by', 'destination'],
      ['name', service],
      ['stale', ''],
    ],
    unindexed: true,
    after,
  }) as Readonly<Record<string, readonly Intention[]>> | undefined;
  return found === undefined ? undefined : (found[service] ?? []);
}

export interface Calls {
  readonly intentions: readonly Intention[];
  /** Where no intention is about a caller. */
  readonly byDefault: boolean;
  readonly trustDomain: string;
}

type Decision = true | false | readonly Permission[];

/** What is decided of each caller that is named, and of all others. */
function decisions({ intentions, byDefault }: Calls) {
  const named = new Map<string, Decision>();
  for (const { SourceName, Action, Permissions } of intentions) {
    const decision = Action === '' ? (Permissions ?? []) : Action === 'allow';
    if (SourceName === '*') return { named, others: decision };
    if (!named.has(SourceName)) named.set(SourceName, decision);
  }
  return { named, others: byDefault as Decision };
}

const PERMISSION = 'envoy.config.rbac.v3.Permission';
const FILTERS = 'type.googleapis.com/envoy.extensions.filters';

/** For connections: what says more than yes or no is no. */
export function networkFilter(name: string, calls: Calls): Message {
  const { named, others } = decisions(calls);
  const allowed = [...named].filter(([, decision]) => decision === true);
  const principals = [
    ...allowed.map(([service]) => caller(service, calls)),
    ...(others === true ? [anyBut([...named.keys()], calls)] : []),
  ];
  const rules = rulesOf(principals.length > 0 ? { callers: policy([ANY], principals) } : {});
  const typed_config = { '@type': `${FILTERS}.network.rbac.v3.RBAC`, stat_prefix: name, rules };
  return { name: 'envoy.filters.network.rbac', typed_config };
}

export const REQUEST_FILTER = 'envoy.filters.http.rbac';

/** Of a listener, for requests: what no route says anything of is let in by nobody. */
export function requestFilter(): Message {
  const typed_config = { '@type': `${FILTERS}.http.rbac.v3.RBAC`, rules: rulesOf({}) };
  return { name: REQUEST_FILTER, typed_config };
}

/** Of a route: connections that are open come under it too once it changes, which those of a listener would not. */
export function requestRules(calls: Calls, omit: LeaveOut): Message {
  const { named, others } = decisions(calls);
  const policies: Record<string, Message> = {};
  const permits = new Permits(calls.byDefault);
  const add = (key: string, principal: Message, decision: Decision) => {
    const permissions = permits.of(decision, (what, why) => omit(`${what} ${key}`, why));
    if (permissions.length > 0) policies[key] = policy(permissions, [principal]);
  };
  for (const [service, decision] of named) add(`of ${service}`, caller(service, calls), decision);
  // As no service is called behind `of`.
  add('all others', anyBut([...named.keys()], calls), others);
  const rbac = { rules: rulesOf(policies) };
  return { '@type': `${FILTERS}.http.rbac.v3.RBACPerRoute`, rbac };
}

/** Of what requests are judged by, and so may be written otherwise than whoever answers them reads it. */
export interface Judged {
  readonly paths: boolean;
  readonly headers: boolean;
  /** By which somebody is let in, and whose names have underscores. */
  readonly underscored: readonly string[];
}

export function judgedBy(intentions: readonly Intention[]): Judged {
  const all = intentions.flatMap(({ Permissions }) => Permissions ?? []);
  return {
    paths: all.some(({ HTTP }) => goesByPath(objectIn(HTTP))),
    headers: all.some(({ HTTP }) => HTTP?.Header !== undefined),
    underscored: all
      .filter(({ Action }) => Action === 'allow')
      .flatMap(({ HTTP }) => HTTP?.Header ?? [])
      .flatMap(({ Name }) => (Name.includes('_') ? [Name] : [])),
  };
}

function rulesOf(policies: Readonly<Record<string, Message>>): Message {
  return { action: 'ALLOW', policies };
}

function policy(permissions: readonly Message[], principals: readonly Message[]): Message {
  return { permissions, principals };
}

/** Of characters in one filter, over what is said once: what is denied stands in each permission after it. */
const MAX_REPEATED = 2_000_000;
const TOO_LONG = `more than ${MAX_REPEATED} characters of what is denied before would be repeated`;

/** What requests are let in by, of all callers together. */
class Permits {
  readonly #byDefault: boolean;
  #left = MAX_REPEATED;

  constructor(byDefault: boolean) {
    this.#byDefault = byDefault;
  }

  /** The first that is about a request decides; where none is, what holds by default. */
  of(decision: Decision, omit: LeaveOut): Message[] {
    if (typeof decision === 'boolean') return decision ? [ANY] : [];
    const denied: Message[] = [];
    const permissions: Message[] = [];
    let cost = 0;
    const runs = runsOf(decision, omit);
    const last = this.#byDefault ? [{ allowed: [ANY], denied: [] }] : [];
    for (const run of [...runs, ...last]) {
      // Whatever was allowed before stays allowed, and is not said again.
      if (run.allowed.length === 0 || this.#spend(cost)) {
        permissions.push(...butNot(run.allowed, denied));
      } else omit('what is allowed last', `${TOO_LONG}: it is denied`);
      denied.push(...run.denied);
      cost += run.denied.reduce((sum, each) => sum + JSON.stringify(each).length, 0);
    }
    return permissions;
  }

  #spend(characters: number): boolean {
    if (characters > this.#left) return false;
    this.#left -= characters;
    return true;
  }
}

/** Of permissions in a row: those that allow, and those that deny after them. */
interface Run {
  readonly allowed: Message[];
  readonly denied: Message[];
}

function runsOf(decision: readonly Permission[], omit: LeaveOut): readonly Run[] {
  let run: Run = { allowed: [], denied: [] };
  const runs = [run];
  for (const [i, each] of decision.entries()) {
    const request = judged(each, (why) => omit(`permission ${i + 1}`, why));
    if (request === undefined) continue;
    const isAllowing = each.Action === 'allow';
    if (isAllowing && run.denied.length > 0) {
      run = { allowed: [], denied: [] };
      runs.push(run);
    }
    (isAllowing ? run.allowed : run.denied).push(request);
  }
  return runs;
}

/** What cannot be told lets nobody in, and keeps out whom it may be about. */
function judged(
  { Action, HTTP, JWT }: Permission,
  omit: (why: string) => void,
): Message | undefined {
  const isAllowing = Action === 'allow';
  const told = JWT ? JWT_ASKED : toldOf(HTTP ?? undefined, isAllowing);
  if (typeof told !== 'string') return told;
  omit(`${told}: ${isAllowing ? 'it lets nobody in' : 'it denies all'}`);
  return isAllowing ? undefined : ANY;
}

const JWT_ASKED = 'it asks for a JWT';

/** Why, where Envoy cannot be told of it. */
function toldOf(http: HttpMatch | undefined, isAllowing: boolean): Message | string {
  if (http === undefined) return 'it is about no request';
  const fault = matchFault(http);
  if (fault !== undefined) return fault;
  const request = requestOf(http, isAllowing);
  return faultIn(PERMISSION, request) ?? request;
}

function butNot(allowed: readonly Message[], denied: readonly Message[]): readonly Message[] {
  if (allowed.length === 0 || denied.length === 0) return allowed;
  const [only] = allowed;
  const request = allowed.length === 1 ? only : { or_rules: { rules: allowed } };
  return [{ and_rules: { rules: [request, ...denied.map((each) => ({ not_rule: each }))] } }];
}

/** By the URI of its certificate, as that is written; whose authority was looked at before. */
function caller(service: string, { trustDomain }: Calls): Message {
  return { authenticated: { principal_name: regex(patternOf(service, trustDomain)) } };
}

function patternOf(service: string, trustDomain: string): string {
  // In no certificate: nobody is it, and what is said of others stands.
  if (!isWellFormed(service)) return '^$';
  return ofService(trustDomain, quoted(asInUrl(service)));
}

/** Of all who are denied by name. */
const MAX_LETTERS = 20_000;

function ofService(trustDomain: string, pattern: string): string {
  return `^${quoted(`spiffe://${trustDomain}/ns/default/dc/`)}[^/]+/svc/${pattern}$`;
}

/**
 * Who may connect, as names that a certificate must bear; undefined for everybody. The filter looks at a connection
 * once something comes: a program that speaks first would have been heard by then.
 */
export function namesLetIn(
  calls: Calls,
  takesLongPatterns: boolean,
): readonly Message[] | undefined {
  const { named, others } = decisions(calls);
  const { trustDomain } = calls;
  if (others !== true) {
    const allowed = [...named].filter(([, decision]) => decision === true);
    const patterns = allowed.map(([service]) => patternOf(service, trustDomain));
    // Of nobody no certificate is right.
    return (patterns.length > 0 ? patterns : ['^$']).map(regex);
  }
  const denied = [...named].flatMap(([service, decision]) =>
    decision === true || !isWellFormed(service) ? [] : [asInUrl(service)],
  );
  // Of each letter that differs it takes several steps; beyond that the filter alone keeps them out.
  const letters = denied.reduce((sum, each) => sum + each.length, 0);
  if (letters === 0 || letters > MAX_LETTERS || !takesLongPatterns) return undefined;
  return [regex(ofService(trustDomain, anyTextBut(denied)))];
}

function anyBut(services: readonly string[], calls: Calls): Message {
  if (services.length === 0) return ANY;
  const ids = services.map((service) => ({ not_id: caller(service, calls) }));
  return { and_ids: { ids } };
}
