/** The HTTP surface that servers and agents share: what answers the requests of a listener. */
import type { RequestListener } from 'node:http';
import type { RequestHandler } from 'express';
import { type AccessControl, OPEN } from '../acl/rights.ts';
import { systemClock } from '../clock.ts';
import { describeChain } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Page } from '../page/page.ts';
import { Tracing } from '../tracing.ts';
import type { Audit } from './audit.ts';
import { Exchange, type Surface } from './exchange.ts';
import type { FastPath } from './fast/fast-path.ts';
import { LineBudget } from './line-budget.ts';
import { createPages } from './pages.ts';
import { type Place, plainPlace } from './place.ts';
import type { Begin, Message, Response } from './ready-exchange.ts';
import { RequestLines } from './request-lines.ts';
import type { Guard, Handler, Method, Route } from './route.ts';
import { RouteTimes, type TimedRoute } from './route-times.ts';
import { Router } from './router.ts';

export interface Served {
  readonly routes: readonly Route[];
  /** Answers what no row is there for; a client agent hands it on to a server. */
  readonly fallback?: Handler;
  /** Who asks, of all rows that are not for anyone; without it there is no access control. */
  readonly access?: AccessControl;
  /** Applications with forms of their own: see pages.ts. */
  readonly mounted?: readonly RequestHandler[];
  /** The web page, where it is on. */
  readonly page?: Page | undefined;
}

export interface AppOptions {
  /** Asked in turn before anything is answered, but for a path that is to be asked otherwise. */
  readonly guards?: readonly Guard[];
  readonly settings?: AppSettings;
  /** Learns which answers may be given again; the listener's own. */
  readonly fastPath?: FastPath;
  /** Is told of each request. */
  readonly audit?: Audit | undefined;
  /** Told how long each answer took. */
  readonly times?: RouteTimes;
  /** The fast path's too: which requests have a line in the log. */
  readonly lineBudget?: LineBudget;
  readonly logger: Logger;
}

export interface AppSettings {
  /** http_config.response_headers: set on every answer but those of the pages, as Consul does. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** disable_http_unprintable_char_filter: paths with such characters are served. */
  readonly disableUnprintableCharFilter: boolean;
  /** All JSON is for people, as -dev has it. */
  readonly prettyJson?: boolean;
}

const NO_SETTINGS: AppSettings = { responseHeaders: {}, disableUnprintableCharFilter: false };

/** What answers the requests of a listener. */
export type App = RequestListener & {
  /** The same of those that were not parsed. */
  readonly begin: Begin;
};

/** Handlers throw ProconsulErrors; whatever else they throw is a bug, logged and hidden. */
export function createApp(served: Served, options: AppOptions): App {
  const { settings = NO_SETTINGS, times = new RouteTimes(), logger } = options;
  const { lineBudget = new LineBudget(logger, systemClock) } = options;
  const { responseHeaders, prettyJson = false } = settings;
  const router = new Router(served.routes.map((row) => ({ ...row, time: times.of(row) })));
  const { page, mounted = [] } = served;
  const surface: Surface = {
    places: {
      router,
      fallback: served.fallback,
      pages: createPages(
        (path) => router.isAbove(path),
        page ? [page.router, ...mounted] : mounted,
      ),
      isPage: (path) => page?.owns(path) === true,
      times,
    },
    access: served.access ?? OPEN,
    guards: options.guards ?? [],
    settings: {
      ...settings,
      prettyJson,
      rowHeaders: { ...responseHeaders, Vary: 'Accept-Encoding' },
    },
    told: { fastPath: options.fastPath, audit: options.audit },
    begin: (message, response) => {
      const place = plainPlace(router, message.url);
      const row = place?.match.methods.get(message.method as Method);
      if (row === undefined || row.endless !== undefined) return false;
      run(message, response, place);
      return true;
    },
    lines: new RequestLines(logger, systemClock, lineBudget),
  };
  const tracing = Tracing.get();
  const run = (message: Message, response: Response, place?: Place<TimedRoute>) => {
    const exchange = new Exchange(surface, message, response, place);
    // Such as a header that nobody may send: the answer cannot be written, and no other either.
    const failed = (error: unknown) => {
      logger.error(`http: ${message.method}: ${describeChain(error)}`);
      response.destroy();
    };
    try {
      const running = tracing ? tracing.serve(exchange) : exchange.run();
      running?.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  const app: RequestListener = (message, response) => run(message, response);
  return Object.assign(app, { begin: surface.begin });
}
