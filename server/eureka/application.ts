/**
 * Eureka's application: an Express router for its clients, mounted on a port of its own and under the port
 * for clients. What a row of it does is none of Express's affair, nor whose rights it needs.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Audit } from '../../lib/http/audit.ts';
import { compressed } from '../../lib/http/gzip.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EurekaPath, Handle, Named } from './rows.ts';
import { type Door, failure, type Reply, Visit } from './visit.ts';

export interface ApplicationOptions extends Door {
  readonly paths: readonly EurekaPath[];
  readonly logger: Logger;
}

const BASES = ['/eureka', '/eureka/v2'];
/** The order in which a real one names them is of no account. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/** Answers what is under its bases, and leaves the rest to whoever it is mounted in. */
export function eurekaRouter(options: ApplicationOptions): Router {
  const router = Router({ caseSensitive: true });
  for (const row of options.paths) {
    const serve = (request: Request, response: Response) => served(options, row, request, response);
    router.all(
      BASES.map((base) => base + row.path),
      serve,
    );
  }
  router.use(BASES[0] ?? '', (request: Request, response: Response) =>
    served(options, { path: '' }, request, response),
  );
  // What cannot be decoded: Express would answer with the stack, and print it.
  router.use((_error: unknown, request: Request, response: Response, _next: NextFunction) => {
    void send(response, failure(request, { status: 400 }), options.logger);
  });
  return router;
}

/** For a port of its own, whose requests nobody else tells an audit log of. */
export function eurekaApplication(
  options: ApplicationOptions,
  audit: Audit | undefined,
): RequestListener {
  const application = express();
  application.disable('x-powered-by').disable('etag').set('query parser', false);
  application.set('case sensitive routing', true);
  if (audit !== undefined) {
    application.use((request, response, next) => {
      audit.begins(request, response).starts();
      next();
    });
  }
  application.use(eurekaRouter(options));
  application.use((request, response) => {
    void send(response, failure(request, { status: 404 }), options.logger);
  });
  return application;
}

async function served(
  options: ApplicationOptions,
  row: EurekaPath,
  request: Request,
  response: Response,
): Promise<void> {
  const reply = await replyTo(options, row, request, response);
  await send(response, reply, options.logger);
  // A body that nobody wanted must not keep the connection waiting.
  if (!request.complete) request.resume();
}

async function replyTo(
  options: ApplicationOptions,
  row: EurekaPath,
  request: Request,
  response: Response,
): Promise<Reply> {
  let visit: Visit | undefined;
  try {
    visit = new Visit(options, request, response);
    const reply = await dispatched(row, visit, request);
    const { form } = visit;
    return reply.status >= 400 && reply.body === undefined
      ? failure(request, { ...reply, form })
      : reply;
  } catch (error) {
    if (!(error instanceof ProconsulError)) {
      options.logger.error(`eureka: ${request.method}: ${describeChain(error)}`);
    }
    return visit?.refusal(error) ?? refused(request, error);
  }
}

function dispatched(row: EurekaPath, visit: Visit, request: Request): Reply | Promise<Reply> {
  const { method } = request;
  const known = METHODS.filter((name) => row[name] !== undefined);
  if (known.length === 0) return { status: 404 };
  const allow = [...known, 'OPTIONS'];
  if (method === 'OPTIONS') {
    const all = known.includes('GET') ? ['HEAD', ...allow] : allow;
    const contentType = `application/${visit.form ?? 'xml'}`;
    return { status: 200, contentType, headers: { Allow: all.join(',') } };
  }
  const handle = handleOf(row, method === 'HEAD' ? 'GET' : method);
  if (handle === undefined) return { status: 405, headers: { Allow: allow.join(',') } };
  return handle(visit, request.params as Named);
}

function handleOf(row: EurekaPath, method: string): Handle | undefined {
  const name = METHODS.find((each) => each === method);
  return name && row[name];
}

/** It has not come as far as to be a visit. */
function refused(message: IncomingMessage, error: unknown): Reply {
  const code = error instanceof ProconsulError ? error.code : 'internal';
  const status = { forbidden: 403, busy: 429, invalid: 400 }[code as string] ?? 500;
  return failure(message, {
    status,
    message: error instanceof ProconsulError ? error.message : '',
  });
}

async function send(response: ServerResponse, reply: Reply, logger: Logger): Promise<void> {
  const { status, headers = {}, contentType, body, zips = false } = reply;
  if (response.destroyed) return;
  const zipped =
    zips && body !== undefined ? await compressed(body)?.catch(logged(logger)) : undefined;
  const bytes = zipped ?? body;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (contentType !== undefined && contentType !== '') {
    response.setHeader('Content-Type', contentType);
    response.setHeader('X-Content-Type-Options', 'nosniff');
  }
  if (zipped !== undefined) response.setHeader('Content-Encoding', 'gzip');
  if (zips) response.setHeader('Vary', 'Accept, Accept-Encoding, X-Eureka-Accept');
  if (status !== 204) response.setHeader('Content-Length', bytes?.length ?? 0);
  response.end(bytes);
}

function logged(logger: Logger): (error: unknown) => undefined {
  return (error) => {
    logger.error(`eureka: ${describeChain(error)}`);
    return undefined;
  };
}
