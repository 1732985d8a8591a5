/** A client agent as its clients meet it, with the fast path, before servers that a spec makes. */
import type { RequestListener, ServerResponse } from 'node:http';
import { Forwarder } from '../../../agent/servers/forwarder.ts';
import { createApp } from '../../../lib/http/app.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { getText, RawClient } from './raw-client.ts';
import { stopped, upstreamTo } from './upstreams.ts';

const NO_LIMIT = { perSecond: -1, burst: 0 };

/** A server that says [1], of index 7. */
export const answers: RequestListener = (request, response) => {
  const headers = { 'Content-Type': 'application/json', 'X-Consul-Index': '7' };
  response.writeHead(200, { ...headers, 'Content-Length': 3 }).end('[1]');
  request.resume();
};

export interface Settings {
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

export async function agentBefore(listeners: readonly RequestListener[], settings: Settings = {}) {
  const { rate = NO_LIMIT, responseHeaders = {} } = settings;
  const { clock, servers, upstream } = await upstreamTo(...listeners);
  const tokens = { agent: 'default-token' };
  const forwarder = stopped(
    new Forwarder({
      ...{ upstream, node: 'n1', clock, rate },
      token: () => tokens.agent,
      maxBodyBytes: MAX_JSON_BODY_BYTES,
    }),
  );
  const fastPath = new FastPath();
  const served = { routes: [], fallback: forwarder.handle };
  const headers = { responseHeaders, disableUnprintableCharFilter: false };
  const app = createApp(served, { logger: silentLogger, fastPath, settings: headers });
  let parsed = 0;
  const listener = new Listener({
    listener: (message, response) => {
      parsed++;
      app(message, response);
    },
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
    shortcut: fastPath,
  });
  await listener.start();
  stopped({ stop: () => void listener.stop() });
  const connect = async () => {
    const client = await RawClient.connect(listener.port);
    // A connection's first request is parsed.
    await client.ask(getText('/v1/first'));
    return client;
  };
  /** Whether it was passed on unparsed, and what came. */
  const ask = async (client: RawClient, text: string) => {
    const before = parsed;
    const answer = await client.ask(text);
    return { ...answer, isParsed: parsed > before };
  };
  const all = { clock, servers, upstream, forwarder, fastPath, tokens };
  return { ...all, connect, ask, parsed: () => parsed };
}

/** As `answers`, until something was learnt: then what `then` does. */
export function later(then: (response: ServerResponse) => void): RequestListener {
  let asked = 0;
  return (request, response) => {
    if (request.url === '/v1/first' || asked++ === 0) answers(request, response);
    else then(response);
  };
}
