/** The table of docs/compat.md, made of the rows that servers and agents answer by. */

import { introductionRoutes } from '../agent/http/introduction.ts';
import { ringRoutes } from '../agent/http/routes/ring.ts';
import { agentRoutes } from '../agent/http/routes.ts';
import { spoken } from '../lib/http/right.ts';
import type { Route } from '../lib/http/route.ts';
import { serverRoutes } from '../server/http/routes.ts';
import { restRoutes } from '../xds/rest.ts';
import { commandsTable } from './commands-table.ts';

/** What Consul 1.8 answers beside the rows that are here: named, so that nobody has to try. */
const CONSULS_OTHERS: readonly (readonly [path: string, methods: string])[] = [
  ['/v1/acl/', 'all'],
  ['/v1/agent/connect/authorize', 'POST'],
  ['/v1/agent/connect/ca/leaf/', 'GET'],
  ['/v1/agent/connect/ca/roots', 'GET'],
  ['/v1/config', 'PUT'],
  ['/v1/config/', 'GET, DELETE'],
  ['/v1/connect/ca/configuration', 'GET, PUT'],
  ['/v1/connect/ca/roots', 'GET'],
  ['/v1/connect/intentions', 'GET, POST'],
  ['/v1/connect/intentions/', 'GET, PUT, DELETE'],
  ['/v1/connect/intentions/check', 'GET'],
  ['/v1/connect/intentions/match', 'GET'],
  ['/v1/discovery-chain/', 'GET, POST'],
  ['/v1/internal/acl/authorize', 'POST'],
  ['/v1/operator/autopilot/configuration', 'GET, PUT'],
  ['/v1/operator/autopilot/health', 'GET'],
  ['/v1/operator/keyring', 'GET, POST, PUT, DELETE'],
  ['/v1/operator/raft/configuration', 'GET'],
  ['/v1/operator/raft/peer', 'DELETE'],
  ['/v1/snapshot', 'GET, PUT'],
];

/** Rows are made of what they need only when they are asked: this stands for all of it. */
export const hollow: never = new Proxy(() => undefined, {
  get: () => hollow,
  apply: () => hollow,
}) as never;

/** Every row of both tables. */
export function allRoutes(): Route[] {
  return [
    ...serverRoutes(hollow),
    ...agentRoutes(hollow),
    ...introductionRoutes(hollow),
    ...ringRoutes(hollow, hollow),
    ...restRoutes(hollow),
  ];
}

export const TABLE_BEGINS = '<!-- The rest is made by `npm run compat`. -->';

function notServed(rows: readonly string[]): readonly string[] {
  if (rows.length === 0) return [];
  const head = [
    '## Not served yet',
    'They answer 404.',
    '',
    '| endpoint | method |',
    '| --- | --- |',
  ];
  return [...head, ...rows, ''];
}

/** All rows by path and method, what Consul has and Proconsul has not, and the commands. */
export async function compatTable(): Promise<string> {
  const routes = allRoutes().sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
  const rows = routes.map(
    (r) => `| \`${shown(r.path)}\` | ${r.method} | ${spoken(r.right)} | ${r.does} |`,
  );
  const served = new Set(routes.map(({ path }) => path));
  const missing = CONSULS_OTHERS.filter(([path]) => !isServed(served, path)).map(
    ([path, methods]) => `| \`${shown(path)}\` | ${methods} |`,
  );
  return [
    TABLE_BEGINS,
    '',
    '## Served',
    '| endpoint | method | right | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    ...notServed(missing),
    await commandsTable(),
  ].join('\n');
}

/** A whole family counts as served as soon as any of it is. */
function isServed(served: ReadonlySet<string>, path: string): boolean {
  return served.has(path) || (path.endsWith('/') && [...served].some((p) => p.startsWith(path)));
}

function shown(path: string): string {
  return path.endsWith('/') ? `${path}…` : path;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
