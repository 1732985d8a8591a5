/** What an agent says of a proxy: whom it stands before, and whom it calls. */
import { ProconsulError } from '../../lib/errors.ts';
import { MAX_UPSTREAMS } from '../../lib/limits.ts';
import { addressIn, listIn, objectIn, portIn, type Said, textIn } from '../said.ts';
import { type CallRules, callRulesIn, ownRulesIn } from '../upstream-config.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ProxyRegistration {
  readonly service: string;
  readonly serviceId: string;
  /** Where other proxies reach this one. */
  readonly listens: Address;
  readonly program: Address;
  /** In which the program is spoken to; '' for what its chain says. */
  readonly protocol: string;
  /** How else the program is called: what is undefined, nobody says. */
  readonly connectMs: number | undefined;
  readonly requestMs: number | undefined;
  readonly maxConnections: number | undefined;
  readonly upstreams: readonly MeshUpstream[];
  /** By their names: what is not called for them, and why. */
  readonly refused: readonly (readonly [name: string, why: string])[];
  /** What is said there and has no effect here, each by its name. */
  readonly unheeded: readonly string[];
}

export interface MeshUpstream {
  /** A prepared query finds instances of a service that is not known before. */
  readonly kind: 'service' | 'query';
  /** Of the service, or of the query. */
  readonly name: string;
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly at: Address;
  readonly rules: CallRules;
}

const LOCAL = '127.0.0.1';

/** Throws ProconsulError 'unavailable' for what is no proxy's. */
export function registrationIn(json: unknown): ProxyRegistration {
  const said = objectIn(json);
  const proxy = objectIn(said['Proxy']);
  const service = textIn(proxy['DestinationServiceName']);
  if (said['Kind'] !== 'connect-proxy' || service === '') {
    throw new ProconsulError('unavailable', `"${textIn(said['ID'])}" is no proxy of a service`);
  }
  const { rules: own, unheeded } = ownRulesIn(proxy['Config']);
  const all = listIn(proxy['Upstreams']).slice(0, MAX_UPSTREAMS).map(upstreamIn);
  const upstreams = all.flatMap((each) => ('why' in each ? [] : [each]));
  return {
    service,
    serviceId: textIn(proxy['DestinationServiceID']),
    listens: {
      host: addressIn(own.bind.address) || addressIn(said['Address']) || '0.0.0.0',
      port: portIn(own.bind.port) || portIn(said['Port']),
    },
    protocol: own.protocol,
    ...{ connectMs: own.connectMs, requestMs: own.requestMs, maxConnections: own.maxConnections },
    program: {
      host: addressIn(proxy['LocalServiceAddress']) || LOCAL,
      port: portIn(proxy['LocalServicePort']),
    },
    upstreams,
    refused: all.flatMap((each) => ('why' in each ? [[each.name, each.why] as const] : [])),
    unheeded: [
      ...unheeded.map((name) => `Config.${name}`),
      ...(textIn(proxy['Mode']) === 'transparent' ? ['Mode'] : []),
      ...(isExposed(proxy['Expose']) ? ['Expose'] : []),
      ...upstreams.flatMap(({ name, unheeded: others }) =>
        others.map((each) => `${each} of the upstream ${name}`),
      ),
    ],
  };
}

function isExposed(said: unknown): boolean {
  const { Checks, Paths } = objectIn(said);
  return Checks === true || listIn(Paths).length > 0;
}

interface Refused {
  readonly name: string;
  readonly why: string;
}

interface Accepted extends MeshUpstream {
  readonly unheeded: readonly string[];
}

const KINDS: ReadonlyMap<string, MeshUpstream['kind']> = new Map([
  ['service', 'service'],
  ['prepared_query', 'query'],
]);
/** Those lead through a gateway; hosts are called by themselves here. */
const BY_GATEWAY: ReadonlySet<string> = new Set(['local', 'remote']);

function upstreamIn(said: Said): Accepted | Refused {
  const name = textIn(said['DestinationName']);
  const type = textIn(said['DestinationType']) || 'service';
  const kind = KINDS.get(type);
  if (kind === undefined) return { name, why: `upstreams of the type ${type} are not called` };
  const port = portIn(said['LocalBindPort']);
  if (name === '' || port === 0) return { name, why: 'it has no name or no port' };
  const host = addressIn(said['LocalBindAddress']) || LOCAL;
  const { rules, unheeded } = callRulesIn(said['Config']);
  const isByGateway = BY_GATEWAY.has(textIn(objectIn(said['MeshGateway'])['Mode']));
  return {
    ...{ kind, name, datacenter: textIn(said['Datacenter']), at: { host, port }, rules },
    unheeded: [
      ...unheeded.map((each) => `Config.${each}`),
      ...(isByGateway ? ['MeshGateway.Mode'] : []),
    ],
  };
}
