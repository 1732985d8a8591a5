/** Names that nobody but a manager may see, in every answer that there is. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { FAST_PATH } from '../../support/seed.ts';
import { startServerWith } from '../../support/servers/start-server.ts';

const RULES = `
  node_prefix "open" { policy = "read" }
  service_prefix "open" { policy = "read" }
  session_prefix "open" { policy = "read" }
  event_prefix "open" { policy = "read" }
  query_prefix "open" { policy = "read" }
  key_prefix "open/" { policy = "read" }
  key "open/planted" { policy = "deny" }
`;

const SOME = 'some';
const coordinate = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 };

async function start() {
  const server = await startServerWith({ access: new FakeAccess({ [SOME]: RULES }) });
  const put: Put = async (path, body, method = 'PUT') => {
    const answer = await server.ask(method, path, { body, ...withToken(MASTER) });
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
    return (answer.text === '' ? {} : answer.json) as Made;
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = (target: string, token: string) => server.get(target, { ...withToken(token), agent });
  return { server, get, put, targets: targetsOf(await plant(put)) };
}

interface Made {
  readonly ID: string;
}

type Put = (path: string, body: string | object, method?: string) => Promise<Made>;

/** [node, service, id]: an id that may be seen makes no name of it that may be. */
const INSTANCES = [
  ['open', 'open', 'open-1'],
  ['open', 'planted', 'planted-1'],
  ['open', 'planted-2', 'open-planted'],
  ['planted', 'open', 'open-2'],
  ['planted', 'planted', 'planted-3'],
] as const;

interface Ids {
  readonly open: string[];
  readonly planted: string[];
}

/** Of each kind one that may be seen and one that may not; a later `change` is of those alone. */
async function plant(put: Put, change = 0): Promise<Ids> {
  const ids: Ids = { open: [], planted: [] };
  for (const [node, service, id] of INSTANCES) {
    if (change > 0 && node === 'open' && service === 'open') continue;
    const nodeChange = node === 'open' ? 0 : change;
    await put('/v1/catalog/register', {
      Node: node,
      Address: '10.0.0.1',
      NodeMeta: { is: `${node}${nodeChange}` },
      Service: { ID: id, Service: service, Address: '10.0.1.1', Port: 80 + change },
      Checks: [{ CheckID: `${id}-check`, ServiceID: id, Status: 'passing', Output: `${change}` }],
    });
  }
  for (const kind of change === 0 ? (['open', 'planted'] as const) : (['planted'] as const)) {
    await put(`/v1/kv/${kind}/key`, `${kind}-value${change}`);
    await put(`/v1/kv/open/${kind}`, `${kind}-value${change}`);
    const session = { Node: kind, Name: `${kind}-session`, NodeChecks: [] };
    ids[kind].push((await put('/v1/session/create', session)).ID);
    const query = { Name: `${kind}-query${change || ''}`, Service: { Service: 'open' } };
    ids[kind].push((await put('/v1/query', query, 'POST')).ID);
    await put(`/v1/event/fire/${kind}-event`, `${kind}-payload`);
    const Coord = { ...coordinate, Height: 0.001 * (change + 1) };
    await put('/v1/coordinate/update', { Node: kind, Coord });
  }
  return ids;
}

const NARROWED = ['', '?node-meta=is:planted0'];

/** What is asked of each row that reads, whatever the kind of name that it takes. */
function targetsOf({ open, planted }: Ids): string[] {
  const names = [
    'open',
    'planted',
    'planted-2',
    'open-event',
    'planted-query',
    ...open,
    ...planted,
  ];
  const below = (path: string) => names.map((name) => `/v1/${path}/${name}`);
  const lists = ['catalog/nodes', 'catalog/services', 'session/list', 'query', 'coordinate/nodes'];
  const named = [
    ...['catalog/service', 'catalog/connect', 'catalog/node', 'catalog/node-services'],
    ...['health/service', 'health/connect', 'health/ingress', 'health/checks', 'health/node'],
    ...['session/info', 'session/node', 'query', 'coordinate/node', 'internal/ui/node', 'kv'],
  ];
  return [
    ...[...lists, 'internal/ui/services', 'internal/ui/nodes', 'event/list'].map((p) => `/v1/${p}`),
    ...named.flatMap(below),
    ...['any', 'passing', 'critical'].map((status) => `/v1/health/state/${status}`),
    ...['10.0.0.1', '10.0.1.1'].map((ip) => `/v1/internal/dns/address/${ip}`),
  ]
    .flatMap((path) => NARROWED.map((query) => path + query))
    .concat(
      ...['?keys', '?recurse', '?raw', '?keys&separator=/'].map((query) =>
        ['', 'open/', 'planted/', 'open/planted', 'open/open', 'planted/key'].map(
          (key) => `/v1/kv/${key}${query}`,
        ),
      ),
      ['open', 'planted'].flatMap((kind) => [
        `/v1/event/list?name=${kind}-event`,
        `/v1/query/${kind}-query/execute`,
        `/v1/query/${kind}-query/explain`,
      ]),
      ['catalog/nodes?filter=Meta.is', 'internal/ui/nodes?filter=Meta.is'].map(
        (path) => `/v1/${path}%20==%20planted0`,
      ),
    );
}

describe('names that may not be seen', () => {
  it('stand in no answer, asked once and once more', async () => {
    const { server, get, targets } = await start();
    for (const token of [SOME, '']) {
      for (const target of targets) {
        for (const _ of ['cold', 'from the fast path']) {
          const { status, text, headers } = await get(target, token);
          const said = `${status} ${text} ${JSON.stringify(headers)}`;
          assert(!/planted/.test(said), `${target} with '${token}': ${said}`);
        }
      }
    }
    if (FAST_PATH) assert(server.fastPath.size.answers > 0);
  });

  it('are there for whoever may see them: the targets are no empty ones', async () => {
    const { get, targets } = await start();
    let told = 0;
    for (const target of targets) {
      if (/planted/.test((await get(target, MASTER)).text)) told++;
    }
    assert(told > targets.length / 5, `${told} of ${targets.length}`);
  });

  it('leave the index as it is, but of lists, as in Consul', async () => {
    const { get, targets, put } = await start();
    const indexes = async () => {
      const found = new Map<string, number>();
      for (const target of targets) {
        found.set(target, (await get(target, SOME)).index);
      }
      return found;
    };
    const before = await indexes();
    await plant(put, 1);
    const after = await indexes();
    const telling = targets.filter((target) => before.get(target) !== after.get(target));
    const paths = [...new Set(telling.map((target) => target.split('?')[0] as string))];
    assert.deepEqual(paths.sort(), TELLING);
  });
});

/** Of lists, that something in them changed; of a name that may be seen, that one of its instances did. */
const TELLING = [
  ...['catalog/node-services/open', 'catalog/node/open', 'catalog/nodes', 'catalog/service/open'],
  ...['catalog/services', 'coordinate/nodes', 'health/checks/open'],
  ...['health/node/open', 'health/service/open', 'health/state/any', 'health/state/passing'],
  ...['internal/dns/address/10.0.0.1', 'internal/dns/address/10.0.1.1', 'internal/ui/node/open'],
  ...['internal/ui/nodes', 'internal/ui/services', 'kv/', 'kv/open/', 'query', 'session/list'],
].map((path) => `/v1/${path}`);
