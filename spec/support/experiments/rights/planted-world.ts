/**
 * A cluster under access control in which something is planted everywhere: what a token may not see has
 * MARKER in it, or beside it, and no request ever says that word.
 */
import assert from 'node:assert/strict';
import type { Answer } from '../../servers/start-server.ts';

export const MARKER = 'm4rker';
/** A token's own rules are told to whoever has it: they must not say the word. */
const BEGINNING = 'm4r';
/** As it stands in values that are shown in base64. */
const SHAPES = [MARKER, ...[0, 1, 2].map((shift) => inBase64(shift))];

function inBase64(shift: number): string {
  const whole = Buffer.from(`${'x'.repeat(shift)}${MARKER}`).toString('base64');
  return whole.slice(shift === 0 ? 0 : 4, -4);
}

/** Whether an answer gives away what is planted. */
export function tellsMarker(text: string): boolean {
  return SHAPES.some((shape) => text.includes(shape));
}

/** Asks as whoever may do anything; '' is no body. */
export type Boss = (method: string, path: string, body?: object | string) => Promise<Answer>;

const NAMED = ['agent', 'event', 'key', 'node', 'query', 'service', 'session'];
const every = (level: string) =>
  [
    ...NAMED.map((resource) => `${resource}_prefix "" { policy = "${level}" }`),
    `operator = "${level}" keyring = "${level}"`,
  ].join('\n');

/** May see all of it. */
export const READERS = `${every('read')} acl = "read"`;
/** As much as possible, of everything but what is planted. */
export const OTHERS = NAMED.filter((resource) => resource !== 'agent')
  .map(
    (resource) => `${resource}_prefix "" { policy = "write" }
      ${['planted', BEGINNING].map((name) => `${resource}_prefix "${name}" { policy = "deny" }`).join('\n')}`,
  )
  .join('\n');

const CANARIES = [
  '/v1/kv/planted/key',
  '/v1/catalog/node/planted',
  '/v1/catalog/service/planted',
  '/v1/session/node/planted',
  '/v1/acl/auth-method/planted',
  '/v1/acl/policy/name/planted',
  '/v1/acl/role/name/planted',
];

const node = (Node: string, Address: string) => ({ Node, Address, NodeMeta: { is: MARKER } });
const service = (name: string) => ({
  Service: { ID: name, Service: name, Tags: [MARKER], Meta: { is: MARKER }, Port: 1 },
  Check: {
    CheckID: `${name}-check`,
    Name: MARKER,
    ServiceID: name,
    Output: MARKER,
    Status: 'passing',
  },
});

/** Gives what is asked for by name, planted or not. */
export async function plant(boss: Boss, pem: string): Promise<string[]> {
  const make = async (method: string, path: string, body: object | string = '') => {
    const { status, text } = await boss(method, `/v1/${path}`, body);
    assert.equal(status, 200, `${path}: ${text}`);
    return /"(?:ID|AccessorID)":"([^"]+)"/.exec(text)?.[1] ?? '';
  };
  for (const [name, address] of [
    ['planted', '10.9.9.9'],
    [MARKER, '10.9.9.8'],
  ] as const) {
    await make('PUT', 'catalog/register', { ...node(name, address), ...service(name) });
    const own = { CheckID: `${name}-node`, Name: MARKER, Output: MARKER };
    await make('PUT', 'catalog/register', { ...node(name, address), Check: own });
    await make('PUT', `kv/${name}/key`, MARKER);
    await make('PUT', `event/fire/${name}`, MARKER);
    const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0] };
    await make('PUT', 'coordinate/update', { Node: name, Coord });
  }
  const Session = { Name: MARKER, Node: 'planted', NodeChecks: [] };
  const session = await make('PUT', 'session/create', Session);
  const Service = { Service: 'planted', Tags: [MARKER] };
  const query = await make('POST', 'query', { Name: 'planted', Service });
  const said = { Description: MARKER };
  const policy = await make('PUT', 'acl/policy', {
    Name: 'planted',
    ...said,
    Rules: `key "${MARKER}" { policy = "read" }`,
  });
  await make('PUT', 'acl/policy', { Name: MARKER, ...said });
  await make('PUT', 'acl/role', { Name: 'planted', ...said, Policies: [{ ID: policy }] });
  const token = await make('PUT', 'acl/token', { ...said, Policies: [{ ID: policy }] });
  const Config = {
    JWTValidationPubKeys: [pem],
    ClaimMappings: { team: 'team' },
    ListClaimMappings: { groups: 'groups' },
  };
  await make('PUT', 'acl/auth-method', { Name: 'planted', Type: 'jwt', ...said, Config });
  await make('PUT', 'acl/binding-rule', {
    AuthMethod: 'planted',
    ...said,
    BindType: 'service',
    BindName: 'fuzz',
  });
  await make('PUT', 'catalog/register', { Node: 'open', Address: '10.0.0.1' });
  const names = ['planted', 'planted/key', 'name/planted', 'planted/execute', 'planted/explain'];
  const ids = [session, query, policy, token, `${query}/execute`, 'open', 'n1', 'self', 'agent'];
  return [...names, ...ids];
}

/** How what nobody may change reads now. */
export async function readCanaries(boss: Boss): Promise<string[]> {
  const read: string[] = [];
  for (const path of CANARIES) {
    const { status, text } = await boss('GET', path);
    read.push(`${path} ${status} ${text}`);
  }
  return read;
}

/** Fails where one of them reads otherwise than before. */
export async function verifyCanaries(boss: Boss, before: readonly string[]): Promise<void> {
  const now = await readCanaries(boss);
  for (const [i, each] of before.entries()) {
    assert(now[i] === each, `changed by whoever may not: ${each}\n${now[i]}`);
  }
}

/** Takes away what fuzzing made, so that it does not only ever look at more of the same. */
export async function tidyUp(boss: Boss): Promise<void> {
  const remove = async (list: string, one: string, id: (row: Row) => string) => {
    const { status, json } = await boss('GET', `/v1/acl/${list}`);
    // A machine that is busy with others may have stood still: the next time will do.
    if (status !== 200) return;
    for (const row of json as Row[]) {
      const kept = row.Description === MARKER || KEPT.test(row.Name ?? row.Description ?? '');
      if (!kept) await boss('DELETE', `/v1/acl/${one}/${encodeURIComponent(id(row))}`);
    }
  };
  await remove('binding-rules', 'binding-rule', ({ ID }) => ID);
  await remove('auth-methods', 'auth-method', ({ Name = '' }) => Name);
  await remove('tokens', 'token', ({ AccessorID = '' }) => AccessorID);
  await remove('roles', 'role', ({ ID }) => ID);
  await remove('policies', 'policy', ({ ID }) => ID);
}

/** Consul's own, and whoever asks in the experiment. */
const KEPT = /^(?:bearer|global-management|builtin\/|Bootstrap|Initial|Anonymous|Master)/;

interface Row {
  readonly ID: string;
  readonly AccessorID?: string;
  readonly Name?: string;
  readonly Description?: string;
}
