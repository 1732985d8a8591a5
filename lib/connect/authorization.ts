/** Whether a service may speak to another, by the intentions that are about the one that is spoken to. */
import { ProconsulError } from '../errors.ts';
import { type Identity, parseIdentity, type ServiceIdentity } from './identity.ts';

/** An intention, as /v1/connect/intentions/match shows it. */
export interface Matched {
  readonly ID: string;
  readonly SourceNS: string;
  readonly SourceName: string;
  readonly DestinationNS: string;
  readonly DestinationName: string;
  readonly Action: string;
  readonly Precedence: number;
  /** Of one that goes by the request. */
  readonly Permissions?: readonly object[];
}

export interface Authorization {
  readonly Authorized: boolean;
  readonly Reason: string;
  /** Of an intention that goes by the request: no Consul tells whoever asks. */
  readonly Permissions?: readonly object[];
  /** What counts for a request that none of them is about. */
  readonly Default?: boolean;
}

/** What counts where no intention is about it. */
export interface ByDefault {
  readonly isAllowed: boolean;
  readonly hasAcl: boolean;
}

/** The first one that is about it decides. Where that says more than yes or no, it is no, and what it says is told. */
export function authorizationOf(
  caller: ServiceIdentity,
  intentions: readonly Matched[],
  { isAllowed, hasAcl }: ByDefault,
): Authorization {
  const decides = intentions.find((each) => isAbout(each, caller));
  if (decides !== undefined) {
    return {
      Authorized: decides.Action === 'allow',
      Reason: `Matched intention: ${spoken(decides)}`,
      ...(decides.Permissions && {
        Permissions: decides.Permissions,
        Default: !hasAcl || isAllowed,
      }),
    };
  }
  if (!hasAcl) return { Authorized: true, Reason: 'ACLs disabled, access is allowed by default' };
  return { Authorized: isAllowed, Reason: 'Default behavior configured by ACLs' };
}

function isAbout(
  { SourceNS, SourceName }: Matched,
  { namespace, service }: ServiceIdentity,
): boolean {
  return SourceNS === namespace && isFrom(SourceName, service);
}

/**
 * Whether a source means that caller. Case counts, as it does in rules: whoever may have the certificate of
 * `WEB` is not who may have that of `web`.
 */
export function isFrom(source: string, caller: string): boolean {
  return source === '*' || source === caller;
}

function spoken(intention: Matched): string {
  const { SourceNS, SourceName, DestinationNS, DestinationName, Action, ID, Precedence } =
    intention;
  const what = Action === '' ? 'PERMISSIONS' : Action.toUpperCase();
  const ends = `${SourceNS}/${SourceName} => ${DestinationNS}/${DestinationName}`;
  return `${what} ${ends} (ID: ${ID}, Precedence: ${Precedence})`;
}

/** Whose certificate it is; throws 'invalid' in Consul's words where it is no service's. */
export function callerNamed(uri: string): ServiceIdentity {
  const found = identityOf(uri);
  if (found?.kind === 'service') return found.identity;
  const what = found === undefined ? 'Connect' : 'Service';
  throw new ProconsulError('invalid', `Bad request: ClientCertURI not a valid ${what} identifier`);
}

function identityOf(uri: string): Identity | undefined {
  try {
    return parseIdentity(uri);
  } catch {
    return undefined;
  }
}
