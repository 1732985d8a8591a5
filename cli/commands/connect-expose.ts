/** Lets calls to a service into the mesh: by what an ingress gateway listens for, and an intention. */
import type { ConfigEntry } from '../../lib/config-entries/entry.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { encodeJson } from '../../lib/json.ts';
import { type ApiClient, encodePath } from '../api-client.ts';
import { type Command, explained, type Invocation } from '../command.ts';

type Fields = Readonly<Record<string, unknown>>;

/** As far as it is looked at: whatever else there is stays as it is. */
interface Listener extends Fields {
  readonly Port: number;
  readonly Protocol: string;
  readonly Services: readonly (Fields & { readonly Name: string })[] | null;
}

interface Ingress extends Fields {
  readonly Listeners: readonly Listener[] | null;
  readonly ModifyIndex: number;
}

interface Exposed {
  readonly service: string;
  readonly gateway: string;
  readonly port: number;
  readonly protocol: string;
  readonly hosts: readonly string[];
}

export const command: Command = {
  synopsis: '[options] -service NAME -ingress-gateway NAME -port PORT',
  details:
    'Writes the service into the config entry of the gateway, and an intention that lets the gateway ' +
    'call it where there is none.',
  examples: ['-service=web -ingress-gateway=edge -port=8080 -protocol=http -host=web.example'],
  http: 'query',
  flags: new Map([
    ['service', { kind: 'string', help: 'The service that is exposed.' }],
    ['ingress-gateway', { kind: 'string', help: 'The gateway that lets calls to it in.' }],
    ['port', { kind: 'int', help: 'The port that the gateway listens on.' }],
    ['protocol', { kind: 'string', help: 'What the service speaks; tcp where nothing is said.' }],
    ['host', { kind: 'strings', help: 'A name by which it is called; may be repeated.' }],
  ]),

  async run(invocation) {
    const exposed = exposedBy(invocation);
    const api = invocation.client();
    const { host } = invocation;
    const before = await ingressOf(api, exposed.gateway);
    const { entry, isUpdate } = withService(before, exposed);
    const { service, gateway, port } = exposed;
    if (isUpdate) {
      host.print(
        `Updating service definition for ${quote(service)} on listener with port ${port}\n`,
      );
    }
    await writeIngress(api, entry, before);
    host.print(`Successfully updated config entry for ingress service ${quote(gateway)}\n`);
    const ends = `${quote(gateway)} -> ${quote(service)}`;
    host.print(
      (await allow(api, gateway, service))
        ? `Successfully set up intention for ${ends}\n`
        : `Intention already exists for ${ends}\n`,
    );
    return 0;
  },
};

function exposedBy({ flags }: Invocation): Exposed {
  const service = flags.text('service');
  const gateway = flags.text('ingress-gateway');
  const port = Number(flags.text('port') || '0');
  if (service === '') throw invalid('A service name must be given via the -service flag.');
  if (gateway === '') {
    throw invalid('An ingress gateway service must be given via the -ingress-gateway flag.');
  }
  if (port === 0) throw invalid('A port must be provided via the -port flag.');
  const protocol = (flags.text('protocol') || 'tcp').toLowerCase();
  return {
    ...{ service: nameIn(service, 'service'), gateway: nameIn(gateway, 'ingress gateway') },
    ...{ port, protocol, hosts: flags.all('host') },
  };
}

/** `namespace/name`, as far as a namespace can be: there is one. */
function nameIn(text: string, what: string): string {
  const [first = '', name = first, ...more] = text.split('/');
  if (more.length > 0) throw invalid(`Invalid ${what} name: target can contain at most one '/'`);
  if (name === first || first === 'default') return name;
  throw invalid(`Invalid ${what} name: namespaces are a consul enterprise feature`);
}

async function ingressOf(api: ApiClient, name: string): Promise<Ingress | undefined> {
  const path = encodePath(`/v1/config/ingress-gateway/${name}`);
  const answer = await explained(
    'Error fetching existing ingress configuration',
    api.send({ method: 'GET', path, accept: [404] }),
  );
  return answer.status === 404 ? undefined : (answer.json as ConfigEntry & Ingress);
}

/** The entry with the service at its port, by the names that are said. */
function withService(before: Ingress | undefined, exposed: Exposed) {
  const { service, gateway, port, protocol, hosts } = exposed;
  // What else is said of it, such as headers, stays.
  const said = { Name: service, Hosts: hosts.length === 0 ? null : hosts };
  const all = before?.Listeners ?? [];
  const there = all.find(({ Port }) => Port === port);
  if (there !== undefined && there.Protocol !== protocol) {
    const conflict = `conflicting protocol ${quote(there.Protocol)}`;
    throw invalid(`Listener on port ${port} already configured with ${conflict}`);
  }
  const services = there?.Services ?? [];
  const isUpdate = services.some(({ Name }) => Name === service);
  const Services = isUpdate
    ? services.map((each) => (each.Name === service ? { ...each, ...said } : each))
    : [...services, said];
  const listener = { ...there, Port: port, Protocol: protocol, Services };
  const Listeners =
    there === undefined
      ? [...all, listener]
      : all.map((each) => (each === there ? listener : each));
  return { entry: { ...before, Kind: 'ingress-gateway', Name: gateway, Listeners }, isUpdate };
}

/** Only where nobody else has written it meanwhile. */
async function writeIngress(api: ApiClient, entry: Fields, before: Ingress | undefined) {
  const body = encodeJson(entry);
  const query = [['cas', String(before?.ModifyIndex ?? 0)] as const];
  const answer = await explained(
    'Error writing ingress config entry',
    api.send({ method: 'PUT', path: '/v1/config', body, query }),
  );
  if (answer.json !== true) {
    throw invalid('Ingress config entry was changed while attempting to update, please try again.');
  }
}

/** Whether none let it call the service yet; one that goes by what is called stays as it is. */
async function allow(api: ApiClient, source: string, destination: string): Promise<boolean> {
  const path = '/v1/connect/intentions/exact';
  const query = [['source', source] as const, ['destination', destination] as const];
  const asked = api.send({ method: 'GET', path, query, accept: [404] });
  const found = await explained('Error looking up existing intention', asked);
  if (found.status !== 404 && (found.json as Fields)['Action'] !== 'deny') return false;
  const body = encodeJson({ Action: 'allow' });
  await explained('Error updating intention', api.send({ method: 'PUT', path, query, body }));
  return true;
}

function invalid(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
