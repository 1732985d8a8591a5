/**
 * A server and an agent, as processes that log at trace level, and requests that must be refused: one
 * line a promise.
 *
 *   node --import tsx spec/system/trust/api.system.ts
 */
import { allRoutes } from '../../../docs/compat-table.ts';
import { type AgentProcess, AgentProcesses } from '../../support/servers/agent-processes.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

/** One for each way in which a token comes. */
const CANARIES = {
  query: 'canary-in-the-query',
  header: 'canary-in-a-header',
  bearer: 'canary-of-a-bearer',
  body: 'canary-in-a-body',
};
const HEADERS = { 'X-Consul-Token': CANARIES.header };
const BEARER = { Authorization: `Bearer ${CANARIES.bearer}` };

/** What is wrong with a request, beside the token that each carries. */
const QUERIES = [
  '',
  'dc=elsewhere',
  'ns=team',
  'index=x',
  'index=1&wait=soon',
  'stale&consistent',
  'cas=x',
  'cas=0&acquire=a',
  'recurse&cas=1',
  'filter=((',
  'passing=maybe&enable=maybe&limit=x',
  'cached&near=_agent',
  'pretty&keys&separator=/',
];
const BODIES = [
  '',
  `{"Token":"${CANARIES.body}",`,
  `{"Token":"${CANARIES.body}","Nonsense":1}`,
  `{"Name":1,"Token":"${CANARIES.body}"}`,
  `${CANARIES.body}`,
  `{"a":${CANARIES.body}}`,
  `[{"KV":{"Verb":"${CANARIES.body}","Key":"x"}}]`,
];
/** They would end what is under test, or never end themselves. */
const LEFT_OUT = /^\/v1\/agent\/(leave|monitor|reload|join\/)/;
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'];

await report(async (say) => {
  const processes = await AgentProcesses.create();
  let failed = 0;
  const promise = async (what: string, kept: () => Promise<string>) => {
    const fault = await kept().catch((error: unknown) => String(error));
    if (fault !== '') failed++;
    say(`${fault === '' ? 'kept  ' : 'BROKEN'} ${what}${fault === '' ? '' : `: ${fault}`}`);
  };
  try {
    const server = await processes.server({ log_level: 'trace' });
    await server.start();
    const agent = await processes.agent('a1', server, { log_level: 'trace' });
    await agent.start();
    await until(
      () => knows(server, 'a1'),
      () => 'the agent does not join',
      20_000,
    );
    for (const each of [server, agent]) {
      await promise(`${each.node} refuses what is meant for a namespace`, () => namespaces(each));
      await promise(`${each.node} refuses another data centre`, () => datacenters(each));
      await promise(`${each.node} puts names in the order of their bytes`, () => order(each));
      await promise(`${each.node} refuses fields that nobody knows`, () => fields(each));
      await promise(`${each.node} tells no token in a refusal`, () => provoke(each));
    }
    await server.kill();
    await promise('an agent without a server tells no token either', () => provoke(agent));
    for (const each of [server, agent]) {
      await promise(`the log of ${each.node} holds no token`, () => leaks(each));
    }
  } finally {
    await processes.end();
  }
  return failed;
}, SHORT_MS);

async function knows(server: AgentProcess, node: string): Promise<boolean> {
  return (await server.get(`/v1/catalog/node/${node}`)) !== null;
}

function ask(to: AgentProcess, method: string, path: string, body?: string, headers = {}) {
  const sent = { headers, ...(body === undefined ? {} : { body }) };
  return send(to.ports.http, method, path, sent);
}

interface Provocation {
  readonly method: string;
  readonly target: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Every row there is, with every fault. */
function* provocations(): IterableIterator<Provocation> {
  const rows = allRoutes().filter(({ path }) => !LEFT_OUT.test(path));
  for (const path of new Set([...rows.map((row) => row.path), '/v1/nothing', '/nothing'])) {
    const target = path.endsWith('/') ? `${path}x%20y` : path;
    for (const [at, query] of QUERIES.entries()) {
      const method = METHODS[at % METHODS.length] ?? 'GET';
      const wait = query.includes('index') ? '' : '&index=999999&wait=1ms';
      const whole = `${target}?${query}&token=${CANARIES.query}${wait}`;
      const body = method === 'GET' ? {} : { body: BODIES[at % BODIES.length] ?? '' };
      yield { method, target: whole, headers: HEADERS, ...body };
      yield { method, target: whole, headers: BEARER, ...body };
    }
    for (const body of BODIES) yield { method: 'PUT', target, body, headers: HEADERS };
  }
}

/** '' when no refusal tells the token that came with it. */
async function provoke(to: AgentProcess): Promise<string> {
  const secrets = [CANARIES.query, CANARIES.header, CANARIES.bearer];
  for (const { method, target, body, headers } of provocations()) {
    const { status, text } = await ask(to, method, target, body, headers);
    const told = secrets.find((canary) => text.includes(canary));
    if (status >= 400 && told !== undefined) return `${method} ${target}: ${told}`;
  }
  return '';
}

/** '' when no line of its log has a token. */
async function leaks(of: AgentProcess): Promise<string> {
  const lines = (await of.log()).split('\n');
  if (!lines.some((line) => line.includes('DEBUG'))) return 'it does not log at debug level';
  for (const canary of Object.values(CANARIES)) {
    const line = lines.find((each) => each.includes(canary));
    if (line !== undefined) return line;
  }
  return '';
}

async function namespaces(to: AgentProcess): Promise<string> {
  const query = 'Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature';
  for (const [method, path, body] of [
    ['PUT', '/v1/kv/tenant', 'x'],
    ['GET', '/v1/kv/tenant'],
    ['DELETE', '/v1/kv/tenant'],
    ['PUT', '/v1/txn', '[]'],
    ['GET', '/v1/health/service/web'],
    // An agent asks these on a way of their own.
    ['GET', '/v1/health/service/web?cached'],
    ['GET', '/v1/health/service/web?index=1'],
    ['PUT', '/v1/session/create', '{}'],
    ['PUT', '/v1/agent/service/register', '{"Name":"web"}'],
    ['PUT', '/v1/catalog/register', '{"Node":"b","Address":"10.0.0.2"}'],
  ] as const) {
    const mark = path.includes('?') ? '&' : '?';
    const byQuery = await ask(to, method, `${path}${mark}ns=team`, body);
    if (byQuery.status !== 400 || !byQuery.text.includes(query)) return `${path}: ${byQuery.text}`;
    const byHeader = await ask(to, method, path, body, { 'X-Consul-Namespace': 'team' });
    if (byHeader.status !== 400) return `${path} with a header: ${byHeader.status}`;
  }
  for (const [path, body] of [
    ['/v1/catalog/register', '{"Node":"b","Address":"10.0.0.2","Namespace":"team"}'],
    [
      '/v1/catalog/register',
      '{"Node":"b","Address":"1.1.1.1","Service":{"Service":"w","Namespace":"t"}}',
    ],
    ['/v1/session/create', '{"Namespace":"team"}'],
    ['/v1/txn', '[{"KV":{"Verb":"set","Key":"tenant","Value":"eA==","Namespace":"team"}}]'],
    ['/v1/agent/service/register', '{"Name":"web","Namespace":"team"}'],
    ['/v1/agent/check/register', '{"Name":"c","TTL":"10s","Namespace":"team"}'],
  ] as const) {
    const { status, text } = await ask(to, 'PUT', path, body);
    if (status !== 400 || !text.includes('unknown field "Namespace"')) return `${path}: ${text}`;
  }
  const left = await ask(to, 'GET', '/v1/kv/tenant');
  return left.status === 404 ? '' : `the key is there: ${left.text}`;
}

async function datacenters(to: AgentProcess): Promise<string> {
  for (const path of [
    '/v1/kv/x',
    '/v1/status/leader',
    '/v1/operator/autopilot/health',
    '/v1/operator/autopilot/configuration',
    '/v1/health/service/web',
    '/v1/session/list',
    '/v1/query',
  ]) {
    const { status, text } = await ask(to, 'GET', `${path}?dc=elsewhere`);
    if (status !== 500 || text !== 'No path to datacenter') return `${path}: ${status} ${text}`;
  }
  const events = await ask(to, 'GET', '/v1/event/list?dc=elsewhere');
  return events.status === 200 ? '' : `event/list: ${events.text}`;
}

async function order(to: AgentProcess): Promise<string> {
  const node = `numbers-${to.node}`;
  const Meta = { 9: 'a', 10: 'b', x: 'c' };
  for (const id of ['9', '10']) {
    const Service = { ID: id, Service: `${to.node}-${id}`, Meta };
    const body = { Node: node, Address: '10.0.0.3', NodeMeta: Meta, Service };
    await ask(to, 'PUT', '/v1/catalog/register', JSON.stringify(body));
    const service = { Name: `local-${id}`, ID: id, Meta, Check: { TTL: '10s', CheckID: id } };
    await ask(to, 'PUT', '/v1/agent/service/register', JSON.stringify(service));
  }
  const meta = '"Meta":{"10":"b","9":"a","x":"c"}';
  for (const [path, before, after] of [
    [`/v1/catalog/node/${node}`, '"10":{"ID"', '"9":{"ID"'],
    ['/v1/agent/services', '"10":{"ID"', '"9":{"ID"'],
    ['/v1/agent/checks', '"10":{"Node"', '"9":{"Node"'],
    ['/v1/catalog/services', `"${to.node}-10"`, `"${to.node}-9"`],
  ] as const) {
    const { text } = await ask(to, 'GET', path);
    const [first, second] = [text.indexOf(before), text.indexOf(after)];
    if (first < 0 || second < first) return `${path}: ${text.slice(0, 300)}`;
    if (path !== '/v1/agent/checks' && path !== '/v1/catalog/services' && !text.includes(meta)) {
      return `${path}: Meta in ${text.slice(0, 300)}`;
    }
  }
  return '';
}

async function fields(to: AgentProcess): Promise<string> {
  for (const [path, body] of [
    ['/v1/agent/service/register', '{"Name":"web","Chekc":{"TTL":"10s"}}'],
    ['/v1/agent/check/register', '{"Name":"c","TTL":"10s","Intervall":"10s"}'],
    ['/v1/catalog/register', '{"Node":"b","Address":"10.0.0.2","SkipNodeUpdates":true}'],
    ['/v1/txn', '[{"KV":{"Verb":"cas","Key":"x","Idx":7}}]'],
  ] as const) {
    const { status, text } = await ask(to, 'PUT', path, body);
    if (status !== 400 || !/json: unknown field "\w+"$/.test(text)) return `${path}: ${text}`;
  }
  const newer = '{"Name":"newer","Locality":{"Region":"r"},"Partition":"default","Ports":[]}';
  const { status, text } = await ask(to, 'PUT', '/v1/agent/service/register', newer);
  return status === 200 ? '' : `a newer client's registration: ${text}`;
}
