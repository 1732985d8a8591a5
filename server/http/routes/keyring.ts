/** /v1/operator/keyring: the keys that the log is sealed under, where Consul's encrypt its gossip. */

import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { boolComplaint, integerComplaint } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Method, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { keyComplaint } from '../../../lib/seal/key.ts';
import type { ClusterDeps, KeyringDeps, PlaceDeps } from '../deps.ts';

const MAX_RELAY_FACTOR = 5;

type Deps = PlaceDeps & KeyringDeps & Pick<ClusterDeps, 'cluster'>;
type Change = (keyring: NonNullable<Deps['keyring']>, key: string) => Promise<void>;

const PARAMS = {
  'relay-factor': param.number('0 to 5; there is nobody to relay to'),
  'local-only': param.boolean('lists what this server knows alone; only for reading'),
};

export function keyringRoutes(deps: Deps): Route[] {
  const row = { path: '/v1/operator/keyring', anyDatacenter: true } as const;
  const write = (method: Method, does: string, change: Change): Route => ({
    ...row,
    method,
    params: PARAMS,
    body: keyBody,
    right: needs('keyring:write', undefined, denied('Modifying keyring denied due to ACLs')),
    does,
    handle: (request) => changeKeyring(deps, request, change),
  });
  return [
    {
      ...row,
      method: 'GET',
      params: PARAMS,
      right: needs('keyring:read', undefined, denied('Reading keyring denied by ACLs')),
      does: 'lists the keys that the log is sealed under',
      handle: ({ params }) => {
        refuseRelay(params);
        return { json: listed(deps, localOnly(params)) };
      },
    },
    write('POST', 'installs a key', (keyring, key) => keyring.install(key)),
    write('PUT', 'makes an installed key the one that seals', (keyring, key) => keyring.use(key)),
    write('DELETE', 'takes a key out, once nothing is sealed under it', (keyring, key) =>
      keyring.remove(key),
    ),
  ];
}

const denied = (why: string) => () => new ProconsulError('rejected', why);

const NO_KEYRING = 'No keyring to modify (encryption not enabled)';
const EMPTY = 'Keyring is empty (encryption not enabled)';

const keyBody = decoder<{ readonly Key: string }>(
  { type: 'object', properties: { Key: { type: 'string', default: '' } } },
  'Bad request: Request decode failed',
);

async function changeKeyring(deps: Deps, request: HttpRequest, change: Change): Promise<Reply> {
  const { Key } = await request.json(keyBody);
  const { params } = request;
  refuseRelay(params);
  if (localOnly(params)) {
    const why = 'local-only can only be set for list requests';
    throw new ProconsulError('invalid', `Bad request: Invalid use of local-only: ${why}`);
  }
  if (deps.keyring === undefined) throw failedOnNode(deps, false, NO_KEYRING);
  const complaint = keyComplaint(Key);
  if (complaint !== undefined) throw failed(deps, complaint);
  try {
    await change(deps.keyring, Key);
  } catch (error) {
    if (!(error instanceof ProconsulError) || error.code !== 'rejected') throw error;
    throw failedOnNode(deps, false, error.message);
  }
  return {};
}

/** Both pools of Consul's, which have the same keys here. */
function listed(deps: Deps, local: boolean) {
  const { keyring, cluster, datacenter } = deps;
  if (keyring === undefined) throw failedOnNode(deps, local, EMPTY);
  const NumNodes = cluster.peers().filter(({ alive }) => alive).length;
  const counted = keyring.keys.map((key) => [key.text, keyring.isShared(key) ? NumNodes : 1]);
  const Keys = Object.fromEntries(counted);
  const PrimaryKeys = Object.fromEntries(counted.slice(0, 1));
  const pool = { Datacenter: datacenter, Segment: '', Keys, PrimaryKeys, NumNodes };
  const lan = { WAN: false, ...pool };
  return local ? [lan] : [{ WAN: true, ...pool }, lan];
}

function refuseRelay(params: Params): void {
  const sent = params.get('relay-factor');
  if (sent === '') return;
  if (!/^[+-]?\d+$/.test(sent)) {
    const why = integerComplaint(sent);
    throw new ProconsulError('invalid', `Bad request: Error parsing relay factor: ${why}`);
  }
  if (Number(sent) >= 0 && Number(sent) <= MAX_RELAY_FACTOR) return;
  const why = `Relay factor must be in range: [0, ${MAX_RELAY_FACTOR}]`;
  throw new ProconsulError('invalid', `Bad request: Invalid relay-factor: ${why}`);
}

function localOnly(params: Params): boolean {
  const complaint = (sent: string) =>
    `Bad request: Error parsing local-only: ${boolComplaint(sent)}`;
  return params.bool('local-only', complaint) ?? false;
}

/** As Consul reports what is wrong before any node was asked. */
function failed({ datacenter }: Deps, why: string): ProconsulError {
  return errors([`\t* WAN error: ${why}`, `\t* ${datacenter} (LAN) error: ${why}`]);
}

/** As Consul reports what went wrong in each of its two pools, node by node. */
function failedOnNode({ node, datacenter }: Deps, local: boolean, why: string): ProconsulError {
  const wide = ['\t* WAN error: 1/1 nodes reported failure', `\t* ${node}.${datacenter}: ${why}`];
  return errors([
    ...(local ? [] : wide),
    `\t* ${datacenter} (LAN) error: 1/1 nodes reported failure`,
    `\t* ${node}: ${why}`,
  ]);
}

function errors(lines: readonly string[]): ProconsulError {
  const text = [`${lines.length} errors occurred:`, ...lines, '\n'].join('\n');
  return new ProconsulError('rejected', text);
}
