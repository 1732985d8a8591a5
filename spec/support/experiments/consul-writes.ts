/**
 * Everything that may be written to a Consul and is in its archive: each kind of thing is made, changed, and half of
 * them taken out again, over HTTP, by as many clients as there are kinds, until they are told to stop.
 */
import { generateKeyPairSync } from 'node:crypto';

export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

interface Kind {
  /** Resolves with what the others are told, such as the id that it got. */
  make(n: number): Promise<string>;
  change(n: number, made: string): Promise<unknown>;
  remove(n: number, made: string): Promise<unknown>;
}

/** The node that sessions are on. */
export const NODE = 'node-0';
/** A service of no protocol, for gateways. */
const PLAIN = 'plain';

const JWT_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  type: 'spki',
  format: 'pem',
});

/** By names that begin with that one. Resolves, once it is told to stop, with how many of each kind were made; what was begun is done first. */
export async function writeAll(
  ask: Ask,
  name: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const work = [...kindsOf(ask, name)].map(async ([what, kind]) => {
    for (let n = 0; !signal.aborted; n++) {
      const made = await kind.make(n);
      await kind.change(n, made);
      if (n % 2 === 1) await kind.remove(n, made);
      counts.set(what, n + 1);
    }
  });
  await Promise.all(work);
  return counts;
}

function kindsOf(ask: Ask, name: string): ReadonlyMap<string, Kind> {
  return new Map([...catalogKinds(ask, name), ...accessKinds(ask, name), ...meshKinds(ask, name)]);
}

type Kinds = readonly (readonly [what: string, kind: Kind])[];

function catalogKinds(ask: Ask, name: string): Kinds {
  const register = (body: object) => ask('PUT', '/v1/catalog/register', body);
  const deregister = (body: object) => ask('PUT', '/v1/catalog/deregister', body);
  const node = (n: number, Address: string) => ({ Node: `${name}-${n}`, Address });
  const service = (n: number, Tags: readonly string[]) => ({
    ...node(n, '10.1.0.1'),
    Service: { ID: `${name}${n}`, Service: 'written', Port: 80, Tags, Meta: { n: `${n}` } },
  });
  const check = (n: number, Status: string) => ({
    Node: NODE,
    Address: '10.0.0.0',
    SkipNodeUpdate: true,
    Check: { CheckID: `${name}-${n}`, Name: 'written', Status, Output: Status },
  });
  const query = (n: number, Near: string) => ({
    Name: `${name}-${n}`,
    Service: { Service: 'written', Near },
  });
  const idOf = (answer: unknown) => (answer as { readonly ID: string }).ID;
  return [
    [
      'key',
      {
        make: async (n) => `${await ask('PUT', `/v1/kv/${name}/${n}?flags=${n}`, `${n}`)}`,
        change: (n) => ask('PUT', `/v1/kv/${name}/${n}`, `${n} again`),
        remove: (n) => ask('DELETE', `/v1/kv/${name}/${n}`),
      },
    ],
    [
      'node',
      {
        make: async (n) => `${await register(node(n + 1e6, '10.2.0.1'))}`,
        change: (n) => register(node(n + 1e6, '10.2.0.2')),
        remove: (n) => deregister({ Node: `${name}-${n + 1e6}` }),
      },
    ],
    [
      'service',
      {
        make: async (n) => `${await register(service(n, []))}`,
        change: (n) => register(service(n, ['changed'])),
        remove: (n) => deregister({ Node: `${name}-${n}`, ServiceID: `${name}${n}` }),
      },
    ],
    [
      'check',
      {
        make: async (n) => `${await register(check(n, 'passing'))}`,
        change: (n) => register(check(n, 'warning')),
        remove: (n) => deregister({ Node: NODE, CheckID: `${name}-${n}` }),
      },
    ],
    [
      'session with a lock',
      {
        make: async (n) => {
          const asked = { Node: NODE, Name: `${name}-${n}`, Checks: [], NodeChecks: [] };
          const id = idOf(await ask('PUT', '/v1/session/create', asked));
          await ask('PUT', `/v1/kv/${name}-locked/${n}?acquire=${id}`, 'held');
          return id;
        },
        change: (n, id) => ask('PUT', `/v1/kv/${name}-locked/${n}?acquire=${id}`, 'held again'),
        remove: (_, id) => ask('PUT', `/v1/session/destroy/${id}`),
      },
    ],
    [
      'query',
      {
        make: async (n) => idOf(await ask('POST', '/v1/query', query(n, ''))),
        change: (n, id) => ask('PUT', `/v1/query/${id}`, query(n, NODE)),
        remove: (_, id) => ask('DELETE', `/v1/query/${id}`),
      },
    ],
  ];
}

function accessKinds(ask: Ask, name: string): Kinds {
  const put = (path: string) => (body: object) => ask('PUT', `/v1/acl/${path}`, body);
  const remove = (path: string) => (_: number, id: string) =>
    ask('DELETE', `/v1/acl/${path}/${id}`);
  const made = async (path: string, body: object, id = 'ID') =>
    ((await put(path)(body)) as Readonly<Record<string, string>>)[id] ?? '';
  const policy = (n: number, key: string) => ({
    Name: `${name}-${n}`,
    Rules: `key "${key}" { policy = "read" }`,
  });
  const role = (n: number, Description: string) => ({
    Name: `${name}-${n}`,
    Description,
    ServiceIdentities: [{ ServiceName: 'written' }],
  });
  const token = (Description: string) => ({ Description, Policies: [{ Name: 'p0' }] });
  const method = (n: number, Description: string, of = name) => ({
    Name: `${of}-${n}`,
    Type: 'jwt',
    Description,
    Config: { JWTValidationPubKeys: [JWT_KEY], BoundIssuer: 'https://issuer.test' },
  });
  const rule = (n: number, BindName: string) => ({
    AuthMethod: `${name}-ruled-${n}`,
    BindType: 'role',
    BindName,
  });
  return [
    [
      'policy',
      {
        make: (n) => made('policy', policy(n, 'a')),
        change: (n, id) => put(`policy/${id}`)({ ID: id, ...policy(n, 'b') }),
        remove: remove('policy'),
      },
    ],
    [
      'role',
      {
        make: (n) => made('role', role(n, '')),
        change: (n, id) => put(`role/${id}`)({ ID: id, ...role(n, 'changed') }),
        remove: remove('role'),
      },
    ],
    [
      'token',
      {
        make: (n) => made('token', token(`${name} ${n}`), 'AccessorID'),
        change: (n, id) => put(`token/${id}`)({ AccessorID: id, ...token(`changed ${n}`) }),
        remove: remove('token'),
      },
    ],
    [
      'auth method',
      {
        make: (n) => made('auth-method', method(n, ''), 'Name'),
        change: (n, name) => put(`auth-method/${name}`)(method(n, 'changed')),
        remove: remove('auth-method'),
      },
    ],
    [
      'binding rule',
      {
        make: async (n) => {
          await put('auth-method')(method(n, '', `${name}-ruled`));
          return await made('binding-rule', rule(n, 'a'));
        },
        change: (n, id) => put(`binding-rule/${id}`)({ ID: id, ...rule(n, 'b') }),
        remove: remove('binding-rule'),
      },
    ],
  ];
}

function meshKinds(ask: Ask, name: string): Kinds {
  const entry = (Kind: string, before: object, after: object): readonly [string, Kind] => {
    const put = (Name: string, rest: object) => ask('PUT', '/v1/config', { Kind, Name, ...rest });
    return [
      Kind,
      {
        make: async (n) => `${await put(`${name}-${Kind}-${n}`, before)}`,
        change: (n) => put(`${name}-${Kind}-${n}`, after),
        remove: (n) => ask('DELETE', `/v1/config/${Kind}/${name}-${Kind}-${n}`),
      },
    ];
  };
  const listeners = (Port: number) => ({
    Listeners: [{ Port, Protocol: 'tcp', Services: [{ Name: PLAIN }] }],
  });
  const intention = (n: number, Action: string) => ({
    SourceName: `${name}-${n}`,
    DestinationName: PLAIN,
    SourceType: 'consul',
    Action,
  });
  const authority = (LeafCertTTL: string) =>
    ask('PUT', '/v1/connect/ca/configuration', { Provider: 'consul', Config: { LeafCertTTL } });
  return [
    entry(
      'service-defaults',
      { Protocol: 'tcp' },
      { Protocol: 'tcp', MeshGateway: { Mode: 'local' } },
    ),
    entry('service-resolver', { ConnectTimeout: '1s' }, { ConnectTimeout: '2s' }),
    entry('ingress-gateway', listeners(8080), listeners(8081)),
    entry(
      'terminating-gateway',
      { Services: [{ Name: PLAIN }] },
      { Services: [{ Name: PLAIN, SNI: 'sni' }] },
    ),
    [
      'proxy-defaults',
      {
        make: async (n) =>
          `${await ask('PUT', '/v1/config', { Kind: 'proxy-defaults', Name: 'global', Config: { n } })}`,
        change: (n) =>
          ask('PUT', '/v1/config', {
            Kind: 'proxy-defaults',
            Name: 'global',
            Config: { n: `${n}` },
          }),
        remove: () => ask('DELETE', '/v1/config/proxy-defaults/global'),
      },
    ],
    [
      'intention',
      {
        make: async (n) =>
          ((await ask('POST', '/v1/connect/intentions', intention(n, 'deny'))) as { ID: string })
            .ID,
        change: (n, id) => ask('PUT', `/v1/connect/intentions/${id}`, intention(n, 'allow')),
        remove: (_, id) => ask('DELETE', `/v1/connect/intentions/${id}`),
      },
    ],
    [
      'authority',
      {
        make: async () => `${await authority('71h')}`,
        change: () => authority('73h'),
        remove: () => authority('72h'),
      },
    ],
  ];
}
