import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  trace,
} from '@opentelemetry/api';
import { createApp } from '../../lib/http/app.ts';
import type { HttpRequest, Route } from '../../lib/http/route.ts';
import { silentLogger } from '../../lib/logger.ts';
import { isTraced, traceHeaders } from '../../lib/tracing.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

interface Ended {
  readonly name: string;
  readonly parent: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: number | undefined;
}

const PARENT = createContextKey('parent');

/** As much of an SDK as the API asks for: spans that are kept, and a context that goes with what is awaited. */
function loadSdk(): readonly Ended[] {
  const ended: Ended[] = [];
  const current = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => current.getStore() ?? ROOT_CONTEXT,
    with: (at, fn, self, ...args) => current.run(at, () => fn.call(self as never, ...args)),
    bind: (_at, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  propagation.setGlobalPropagator({
    inject: (at, carrier) => {
      const span = trace.getSpan(at);
      if (span !== undefined) (carrier as Record<string, string>)['traceparent'] = `of ${span}`;
    },
    extract: (at, carrier) =>
      at.setValue(PARENT, String((carrier as Record<string, unknown>)['traceparent'] ?? 'nobody')),
    fields: () => ['traceparent'],
  });
  const startSpan = (first: string, _options: unknown, at: Context = ROOT_CONTEXT): Span => {
    let name = first;
    let status: number | undefined;
    const attributes: Record<string, unknown> = {};
    const span = {
      setAttribute(key: string, value: unknown) {
        attributes[key] = value;
        return span;
      },
      updateName(to: string) {
        name = to;
        return span;
      },
      setStatus: ({ code }: { code: number }) => {
        status = code;
        return span;
      },
      end: () => void ended.push({ name, parent: String(at.getValue(PARENT)), attributes, status }),
      toString: () => name,
    };
    return span as unknown as Span;
  };
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as never });
  return ended;
}

function unloadSdk(): void {
  trace.disable();
  propagation.disable();
  context.disable();
}

const ROWS: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/told/',
    rest: 'name',
    right: { by: 'nobody' },
    does: 'tells what goes out with it',
    handle: async ({ rest }: HttpRequest) => {
      await Promise.resolve();
      if (rest === 'bad') throw new Error('broken');
      return { json: traceHeaders() };
    },
  } as unknown as Route,
];

async function start() {
  const { port } = await serveHttp(createApp({ routes: ROWS }, { logger: silentLogger }));
  return (path: string, traceparent?: string) =>
    send(port, 'GET', path, { headers: traceparent === undefined ? {} : { traceparent } });
}

describe('spans', () => {
  afterEach(unloadSdk);

  it('are none, and nothing goes out, where no SDK is loaded', async () => {
    assert.equal(isTraced(), false);
    const get = await start();
    assert.deepEqual((await get('/v1/told/a', 'x')).json, {});
  });

  it('have the row for a name, the caller’s as a parent, and neither path nor query', async () => {
    const ended = loadSdk();
    assert.equal(isTraced(), true);
    const get = await start();
    assert.deepEqual((await get('/v1/told/secret?token=secret', 'caller')).json, {
      traceparent: 'of GET',
    });
    await get('/v1/told/bad');
    await until(() => ended.length === 2);
    assert.deepEqual(ended, [
      {
        name: 'GET /v1/told/',
        parent: 'caller',
        attributes: { 'http.route': '/v1/told/', 'http.response.status_code': 200 },
        status: undefined,
      },
      {
        name: 'GET /v1/told/',
        parent: 'nobody',
        attributes: { 'http.route': '/v1/told/', 'http.response.status_code': 500 },
        status: 2,
      },
    ]);
  });
});
