import { ANYONE } from '../../../lib/acl/rights.ts';
import { Params } from '../../../lib/http/params.ts';
import type { HttpRequest } from '../../../lib/http/route.ts';

/** A GET of /v1/kv/a, but for what is said otherwise. */
export function httpRequest(over: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    path: '/v1/kv/a',
    target: '/v1/kv/a',
    rest: 'a',
    params: new Params(''),
    pretty: false,
    headers: {},
    token: '',
    caller: ANYONE,
    callerNow: () => ANYONE,
    callerStill: () => ANYONE,
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
    onceOver: () => undefined,
    body: async () => Buffer.alloc(0),
    json: async (decode) => decode('{}'),
    ...over,
  };
}
