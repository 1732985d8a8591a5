/**
 * Spans for whoever has loaded an SDK of OpenTelemetry into the process (docs/monitoring/tracing.md). Without
 * one nothing is made for any request: whether there is one is asked once, when the surface is made.
 */
import {
  context,
  ProxyTracerProvider,
  propagation,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Message, Response } from './http/ready-exchange.ts';
import { VERSION } from './version.ts';

/** What a provider comes to that nobody has set. */
const NONE = new ProxyTracerProvider().getDelegate();

/** An SDK is there, of whichever copy of the API it is. */
export function isTraced(): boolean {
  const provider: unknown = trace.getTracerProvider();
  const { getDelegate } = provider as Partial<ProxyTracerProvider>;
  return getDelegate === undefined || getDelegate.call(provider) !== NONE;
}

interface Traced {
  readonly message: Message;
  readonly response: Response;
  /** Of the row that takes it, once that is known. */
  readonly route: string | undefined;
  run(): Promise<void> | undefined;
}

export class Tracing {
  readonly #tracer: Tracer = trace.getTracer('proconsul', VERSION);

  /** Undefined where nobody traces. */
  static get(): Tracing | undefined {
    return isTraced() ? new Tracing() : undefined;
  }

  /** Runs what answers a request within its span, which ends with the answer or its client. */
  serve(traced: Traced): Promise<void> | undefined {
    const { message, response } = traced;
    const { method = '', headers } = message;
    const parent = propagation.extract(context.active(), headers);
    // Neither path nor query: both may hold what is secret.
    const attributes = { 'http.request.method': method };
    const span = this.#tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    response.once('close', () => {
      const path = traced.route;
      if (path !== undefined) span.updateName(`${method} ${path}`).setAttribute('http.route', path);
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    return context.with(trace.setSpan(parent, span), () => traced.run());
  }
}

/** Headers for a request that is made for the one that is being answered. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (isTraced()) propagation.inject(context.active(), headers);
  return headers;
}
