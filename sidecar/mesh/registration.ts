/** What an agent says of a proxy: whom it stands before, and whom it calls. */
import { ProconsulError } from '../../lib/errors.ts';
import { MAX_UPSTREAMS } from '../../lib/limits.ts';
import { addressIn, listIn, objectIn, portIn, type Said, textIn } from '../said.ts';

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
  readonly upstreams: readonly MeshUpstream[];
  /** By their names: what is not called for them, and why. */
  readonly refused: readonly (readonly [name: string, why: string])[];
}

export interface MeshUpstream {
  readonly service: string;
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly at: Address;
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
  const config = objectIn(proxy['Config']);
  const all = listIn(proxy['Upstreams']).slice(0, MAX_UPSTREAMS).map(upstreamIn);
  return {
    service,
    serviceId: textIn(proxy['DestinationServiceID']),
    listens: {
      host: addressIn(config['bind_address']) || addressIn(said['Address']) || '0.0.0.0',
      port: portIn(config['bind_port']) || portIn(said['Port']),
    },
    protocol: textIn(config['protocol']).toLowerCase(),
    program: {
      host: addressIn(proxy['LocalServiceAddress']) || LOCAL,
      port: portIn(proxy['LocalServicePort']),
    },
    upstreams: all.flatMap((each) => ('why' in each ? [] : [each])),
    refused: all.flatMap((each) => ('why' in each ? [[each.service, each.why] as const] : [])),
  };
}

interface Refused {
  readonly service: string;
  readonly why: string;
}

function upstreamIn(said: Said): MeshUpstream | Refused {
  const service = textIn(said['DestinationName']);
  const type = textIn(said['DestinationType']) || 'service';
  if (type !== 'service') return { service, why: `upstreams of the type ${type} are not called` };
  const port = portIn(said['LocalBindPort']);
  if (service === '' || port === 0) return { service, why: 'it has no name or no port' };
  const host = addressIn(said['LocalBindAddress']) || LOCAL;
  return { service, datacenter: textIn(said['Datacenter']), at: { host, port } };
}
