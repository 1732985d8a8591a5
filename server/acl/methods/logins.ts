/** From what somebody shows to a token: whom it proves, what binding rules give them, and the command. */
import { tokenOf } from '../../../lib/acl/builtin.ts';
import type { AuthMethod, TokenDefinition } from '../../../lib/acl/model.ts';
import { permissionDenied, tokenNotFound } from '../../../lib/acl/refusals.ts';
import { NS_PER_MS } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { StringMap } from '../../../lib/model.ts';
import type { Random } from '../../../lib/random.ts';
import type { Login } from '../../acl-commands.ts';
import type { Command } from '../../commands.ts';
import type { Outcome } from '../../state/outcome.ts';
import type { State } from '../../state/state.ts';
import { type Binding, bind } from './bindings.ts';
import type { Identity, MethodType } from './method-type.ts';
import { METHOD_TYPES } from './types.ts';

/** How often it is decided anew because others change what it was decided by. */
const MAX_DECISIONS = 8;

export interface LoginDeps {
  /** As new as any acknowledged write. */
  readonly current: () => Promise<State>;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly random: Pick<Random, 'uuid'>;
  readonly datacenter: string;
}

export interface Identified {
  readonly identity: Identity;
  /** Kept with the token, for people. */
  readonly meta: StringMap;
}

export interface LoginRequest {
  /** The method's name. */
  readonly method: string;
  /** Asks whoever knows them; again if the method has changed meanwhile. */
  readonly identify: (type: MethodType, method: AuthMethod) => Promise<Identified>;
}

/** The accessor id of the new token. */
export async function logIn(deps: LoginDeps, request: LoginRequest): Promise<string> {
  let known: (Identified & { readonly method: AuthMethod }) | undefined;
  for (let n = 0; n < MAX_DECISIONS; n++) {
    const method = (await deps.current()).acl.authMethod(request.method);
    const type = METHOD_TYPES.get(method?.Type ?? '');
    if (method === undefined || type === undefined) throw tokenNotFound();
    if (known?.method !== method) {
      known = { method, ...(await request.identify(type, method)) };
    }
    // The network was asked meanwhile: what is given is given by what stands now.
    const { acl, index: decidedAt } = await deps.current();
    if (acl.authMethod(request.method) !== method) continue;
    const rules = acl.bindingRulesOf(method.Name);
    const binding = bind(rules, type.fields, known.identity, { acl, datacenter: deps.datacenter });
    if (binding === undefined) throw permissionDenied();
    const token = tokenFor(deps.random, method, binding, known.meta);
    const command = commandOf(token, method, binding, decidedAt);
    const outcome = await deps.propose(command);
    if (outcome.refused !== undefined) throw new ProconsulError('rejected', outcome.refused);
    if (outcome.outdated !== true) return command.token.AccessorID;
  }
  throw new ProconsulError('unavailable', 'what this login rests on is changed all the time');
}

function tokenFor(
  random: LoginDeps['random'],
  { Name, TokenLocality }: AuthMethod,
  { bound }: Binding,
  meta: StringMap,
): TokenDefinition {
  const hasMeta = Object.keys(meta).length > 0;
  return tokenOf({
    AccessorID: random.uuid(),
    SecretID: random.uuid(),
    Description: `token created via login${hasMeta ? `: ${encodeJson(meta)}` : ''}`,
    ...bound,
    Local: TokenLocality !== 'global',
    AuthMethod: Name,
  });
}

function commandOf(
  token: TokenDefinition,
  { Name, MaxTokenTTL, ModifyIndex }: AuthMethod,
  { rules }: Binding,
  decidedAt: number,
): Login {
  const expiry = { atMs: 0, ttlMs: MaxTokenTTL / NS_PER_MS };
  return { type: 'login', token, expiry, decidedAt, method: { id: Name, at: ModifyIndex }, rules };
}
