/** /v1/operator/keyring: there is no gossip to encrypt, and so no key. */

import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { boolComplaint, integerComplaint } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Method, Route } from '../../../lib/http/route.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import type { PlaceDeps } from '../deps.ts';

const MAX_RELAY_FACTOR = 5;

export function keyringRoutes(deps: PlaceDeps): Route[] {
  const row = { path: '/v1/operator/keyring', anyDatacenter: true } as const;
  const write = (method: Method): Route => ({
    ...row,
    method,
    right: needs('keyring:write', undefined, denied('Modifying')),
    does: 'refuses: there is no gossip to encrypt',
    handle: (request) => refuseKey(deps, request),
  });
  return [
    {
      ...row,
      method: 'GET',
      right: needs('keyring:read', undefined, denied('Reading')),
      does: 'refuses: there is no gossip to encrypt',
      handle: ({ params }) => {
        refuseRelay(params);
        throw keyringError(deps, localOnly(params), EMPTY);
      },
    },
    write('POST'),
    write('PUT'),
    write('DELETE'),
  ];
}

const denied = (doing: string) => () =>
  new ProconsulError('rejected', `${doing} keyring denied by ACLs`);

const NO_KEYRING = 'No keyring to modify (encryption not enabled)';
const EMPTY = 'Keyring is empty (encryption not enabled)';

const keyBody = decoder<{ readonly Key: string }>(
  { type: 'object', properties: { Key: { type: 'string', default: '' } } },
  'Bad request: Request decode failed',
);

async function refuseKey(deps: PlaceDeps, request: HttpRequest): Promise<never> {
  keyBody(await request.body(MAX_JSON_BODY_BYTES));
  refuseRelay(request.params);
  throw keyringError(deps, false, NO_KEYRING);
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

/** As Consul reports what went wrong in each of its two pools, node by node. */
function keyringError({ node, datacenter }: PlaceDeps, local: boolean, why: string) {
  const wide = ['\t* WAN error: 1/1 nodes reported failure', `\t* ${node}.${datacenter}: ${why}`];
  const lines = [
    ...(local ? [] : wide),
    `\t* ${datacenter} (LAN) error: 1/1 nodes reported failure`,
    `\t* ${node}: ${why}`,
  ];
  const text = [`${lines.length} errors occurred:`, ...lines, '\n'].join('\n');
  return new ProconsulError('rejected', text);
}
