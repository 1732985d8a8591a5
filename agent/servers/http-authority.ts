/** The servers' certificate authority over HTTP, for an agent without a server. */

import { CENTRAL_DEFAULTS_PATH, type CentralDefaults } from '../../lib/central-defaults.ts';
import type { Matched } from '../../lib/connect/authorization.ts';
import { type CaRoots, type Leaf, SIGN_PATH } from '../../lib/connect/model.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import type { Authority } from '../connect/authority.ts';
import type { ServerAnswer } from './answer.ts';
import { ringKey } from './ring-key.ts';
import { withParams } from './targets.ts';
import type { Upstream } from './upstream.ts';

const MATCH_PATH = '/v1/connect/intentions/match';
const ROOTS_PATH = '/v1/connect/ca/roots';
const TIMEOUT_MS = 5000;
/** A server may have others to sign for first. */
const SIGN_TIMEOUT_MS = 30_000;

export function httpAuthority(upstream: Pick<Upstream, 'ask'>, node: string): Authority {
  return {
    async roots(seenIndex, waitMs, signal) {
      const waits = seenIndex > 0 && waitMs > 0;
      const answer = await upstream.ask({
        way: waits ? 'watch' : 'sync',
        method: 'GET',
        target: waits ? waiting(ROOTS_PATH, seenIndex, waitMs) : ROOTS_PATH,
        key: ringKey(ROOTS_PATH),
        token: '',
        timeoutMs: TIMEOUT_MS,
        ...(waits && { waitMs }),
        signal,
      });
      const roots = read<CaRoots>(answer);
      return { index: Number(answer.headers['x-consul-index']), roots };
    },
    async sign({ csr, token, forIngress }) {
      const answer = await upstream.ask({
        way: 'sync',
        method: 'PUT',
        target: SIGN_PATH,
        // Each server signs: agents spread over them.
        key: `node:${node}`,
        token,
        timeoutMs: SIGN_TIMEOUT_MS,
        // A certificate too many harms nobody.
        repeatable: true,
        body: Buffer.from(encodeJson({ CSR: csr, ...(forIngress && { ForIngress: true }) })),
      });
      return read<Leaf>(answer);
    },
    async intentionsOn(service, token) {
      const target = withParams(MATCH_PATH, { by: 'destination', name: service });
      const answer = await upstream.ask({
        way: 'sync',
        method: 'GET',
        target,
        key: service,
        token,
        timeoutMs: TIMEOUT_MS,
      });
      const [intentions] = Object.values(
        read<Readonly<Record<string, readonly Matched[]>>>(answer),
      );
      return { intentions: intentions ?? [], isHit: false };
    },
    async defaults({ service, upstreams }, token, { seenIndex, waitMs }, signal) {
      const waits = seenIndex > 0;
      const answer = await upstream.ask({
        way: waits ? 'watch' : 'sync',
        method: 'POST',
        target: waits ? waiting(CENTRAL_DEFAULTS_PATH, seenIndex, waitMs) : CENTRAL_DEFAULTS_PATH,
        // Those of one service meet at one server's answer.
        key: service,
        token,
        timeoutMs: TIMEOUT_MS,
        // It changes nothing.
        repeatable: true,
        body: Buffer.from(encodeJson({ Service: service, Upstreams: upstreams })),
        ...(waits && { waitMs }),
        signal,
      });
      const defaults = read<CentralDefaults>(answer);
      return { index: Number(answer.headers['x-consul-index']), defaults };
    },
  };
}

function waiting(path: string, seenIndex: number, waitMs: number): string {
  return withParams(path, { index: String(seenIndex), wait: `${Math.ceil(waitMs / 1000)}s` });
}

function read<T>({ status, body }: ServerAnswer): T {
  const text = body.toString();
  if (status === 200) return decodeJson(text) as T;
  if (status === 403) throw new ProconsulError('forbidden', text);
  throw new ProconsulError(status === 429 ? 'busy' : 'rejected', text);
}
