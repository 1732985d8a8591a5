/** Something to see on each page there is, with names that are as long and as strange as names may be. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { openPage } from './browser.ts';
import { type Proconsul, startProconsul } from './servers/proconsul.ts';
import { send } from './servers/start-server.ts';
import { ACCESS_CONTROL, ROOT } from './web-server.ts';

const LONG = `a-service-of-${'very-'.repeat(16)}long-name`;

export interface WebWorld {
  readonly server: Proconsul;
  /** Where the page finds something, by the pattern of its address. */
  readonly examples: Readonly<Record<string, string>>;
}

/** The patterns of all pages, as web/places.ts has them: what is no address does not compile there. */
export function patterns(): readonly string[] {
  const text = readFileSync(new URL('../../web/places.ts', import.meta.url), 'utf8');
  return [...text.matchAll(/address: '([^']+)'/g)].map(([, address = '']) => address);
}

/** A server with access control; ROOT may do everything. */
export async function startWebWorld(args: readonly string[] = []): Promise<WebWorld> {
  const server = await startProconsul(['-dev', ACCESS_CONTROL, ...args]);
  const write = async (method: string, path: string, body?: object | string) => {
    const sent = { ...(body !== undefined && { body }), headers: { 'X-Consul-Token': ROOT } };
    const { status, text } = await send(server.port, method, path, sent);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return text;
  };
  const put: Put = (path, body) => write('PUT', path, body);
  await catalog(put);
  await nodes(put);
  await mesh(put);
  await state(put);
  const query = { Name: 'nearest', Service: { Service: 'web' } };
  const { ID } = JSON.parse(await write('POST', '/v1/query', query)) as Made;
  const made = { 'queries/:id': `queries/${ID}`, ...(await access(put)) };
  return { server, examples: { ...PLAIN, ...made } };
}

/** Opens an address, by whoever may do everything. */
export function openAsRoot(
  port: number,
  address: string,
  { base = '/ui/', ...options }: Parameters<typeof openPage>[1] & { readonly base?: string } = {},
): Promise<Page> {
  const origin = `http://127.0.0.1:${port}`;
  const localStorage = [{ name: 'proconsul.token', value: ROOT }];
  const storageState = { cookies: [], origins: [{ origin, localStorage }] };
  return openPage(`${origin}${base}dc1/${address}`, { ...options, storageState });
}

/** Until what the page is about has come. */
export async function shown(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
}

/** Shows each part of it, one after the other, where it has such; the first is what its address names none of. */
export async function eachPart(page: Page, look: (part: string) => Promise<void>): Promise<void> {
  // What is asked stands before all of it.
  const asks = (await page.locator('dialog:modal').count()) > 0;
  const tabs = page.getByRole('tab');
  const parts = asks ? [] : await tabs.evaluateAll((all) => all.map(({ id }) => id));
  if (parts.length === 0) await look('');
  for (const part of parts) {
    const tab = page.locator(`[id="${part}"]`);
    await tab.click();
    await page.locator(`[id="${part}"][aria-selected=true]`).waitFor();
    await shown(page);
    await look(part);
  }
}

type Put = (path: string, body?: object | string) => Promise<string>;

interface Made {
  readonly ID: string;
}

const PLAIN: Readonly<Record<string, string>> = {
  services: 'services',
  nodes: 'nodes',
  kv: `kv?folder=${encodeURIComponent('shop/')}&key=${encodeURIComponent('shop/limits.yaml')}`,
  sessions: 'sessions',
  queries: 'queries',
  events: 'events',
  intentions: 'intentions',
  config: 'config',
  topology: 'topology',
  access: 'access?show=tokens',
  cluster: 'cluster?name=web',
  'services/:name': 'services/web',
  'services/:name/:node/:id': 'services/web/m1/web',
  'nodes/:name': 'nodes/m1',
  'intentions/new': 'intentions/new',
  'intentions/:source/:destination': 'intentions/web/db',
  'config/new': 'config/new',
  'config/:kind/:name': 'config/service-defaults/web',
  'access/new/:kind': 'access/new/tokens',
};

/** Instances in each state, a proxy that calls, and names that fit nowhere. */
async function catalog(put: Put): Promise<void> {
  const states = ['passing', 'warning', 'critical'];
  for (const [i, service] of ['web', 'db', LONG, '商店'].entries()) {
    for (const [n, Status] of states.entries()) {
      const ID = n === 0 ? service : `${service}-${n}`;
      await put('/v1/catalog/register', {
        Node: `m${n + 1}`,
        Address: `10.0.${i}.${n + 1}`,
        NodeMeta: { zone: 'ams', kernel: '6.1.0' },
        Service: {
          Service: service,
          ID,
          Port: 8080,
          Tags: ['blue', 'v2', 'a-tag-that-is-longer-than-most-tags-are'],
          Meta: { version: '1.4.2', 'external-source': 'kubernetes' },
        },
        Check: {
          CheckID: `${ID}:http`,
          Name: 'HTTP',
          ServiceID: ID,
          Status,
          Output: `${'Get "http://127.0.0.1/healthz": '.repeat(3)}refused\n`.repeat(4),
        },
      });
    }
  }
}

/** What a node has of its own, and how far it is from another. */
async function nodes(put: Put): Promise<void> {
  for (const [i, Node] of ['m1', 'm2'].entries()) {
    const disk = { Name: 'Disk', Notes: 'Of /var.', Output: '91% full', Status: 'warning' };
    const Check = { CheckID: 'disk', ...disk };
    await put('/v1/catalog/register', { Node, Address: `10.0.0.${i + 1}`, Check });
    const Coord = { Vec: [i / 100, 0, 0, 0, 0, 0, 0, 0], Error: 0.1, Adjustment: 0, Height: 0.001 };
    await put('/v1/coordinate/update', { Node, Coord });
  }
}

async function mesh(put: Put): Promise<void> {
  await put('/v1/catalog/register', {
    Node: 'm1',
    Address: '10.0.0.1',
    Service: {
      Kind: 'connect-proxy',
      Service: 'web-proxy',
      Port: 21000,
      Proxy: {
        DestinationServiceName: 'web',
        DestinationServiceID: 'web',
        Upstreams: ['db', LONG].map((name, i) => ({
          DestinationName: name,
          LocalBindPort: 9000 + i,
        })),
      },
    },
  });
  await put('/v1/connect/intentions/exact?source=web&destination=db', { Action: 'deny' });
  await put('/v1/connect/intentions/exact?source=*&destination=web', { Action: 'allow' });
  await put('/v1/config', { Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
}

async function state(put: Put): Promise<void> {
  await put('/v1/operator/kv-revisions', { Prefixes: ['shop/'] });
  for (const most of [100, 200])
    await put('/v1/kv/shop/limits.yaml', `# of each\norders:\n  most: ${most}\n`);
  await put(`/v1/kv/shop/${'deep/'.repeat(8)}key`, '{"a": 1}');
  const made = await put('/v1/session/create', { Name: 'leader', Node: 'm1', Checks: [] });
  await put(`/v1/kv/shop/leader?acquire=${(JSON.parse(made) as Made).ID}`, 'm1');
  await put('/v1/event/fire/deploy', 'now');
}

/** What has an id of its own, at the page of each. */
async function access(put: Put): Promise<Record<string, string>> {
  const Rules = 'service_prefix "" { policy = "read" }';
  const { ID } = JSON.parse(await put('/v1/acl/policy', { Name: 'reader', Rules })) as Made;
  const Policies = [{ ID }];
  const role = JSON.parse(await put('/v1/acl/role', { Name: 'readers', Policies })) as Made;
  const token = JSON.parse(await put('/v1/acl/token', { Description: 'a program', Policies })) as {
    readonly AccessorID: string;
  };
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const JWTValidationPubKeys = [publicKey.export({ type: 'spki', format: 'pem' })];
  const Config = { JWTValidationPubKeys, JWTSupportedAlgs: ['ES256'] };
  await put('/v1/acl/auth-method', { Name: 'proofs', Type: 'jwt', Config });
  const rule = { AuthMethod: 'proofs', BindType: 'role', BindName: 'readers' };
  await put('/v1/acl/binding-rule', { ...rule, Selector: 'value.team == "ops"' });
  return {
    'access/policies/:id': `access/policies/${ID}`,
    'access/roles/:id': `access/roles/${role.ID}`,
    'access/tokens/:id': `access/tokens/${token.AccessorID}`,
    'access/methods/:id': 'access/methods/proofs',
  };
}
