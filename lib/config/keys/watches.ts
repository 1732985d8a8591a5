/** What this agent watches, and what it does about it: programs and HTTP requests (docs/watches.md). */
import { messageOf, ProconsulError } from '../../errors.ts';
import { watchPlan } from '../../watch-plan.ts';
import type { Problems } from '../problems.ts';
import { type Settled, type Tree, trees } from '../row.ts';
import { durationMs, type HeaderLists, headersOf, refuse, Taken } from '../taken.ts';

export const WATCH_KEYS = {
  watches: trees('Programs to run and requests to send on changes (docs/watches.md).', {
    reloads: true,
  }),
};

export interface WatchDefinition {
  readonly type: string;
  /** What is watched: the parameters of its type; a flag's value is `true`. */
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly stale: boolean;
  readonly datacenter: string;
  readonly token: string;
  readonly handler: ProgramHandler | HttpHandler;
}

export interface ProgramHandler {
  readonly kind: 'program';
  readonly words: readonly string[];
  /** The words are one line of a shell. */
  readonly shell: boolean;
}

export interface HttpHandler {
  readonly kind: 'http';
  readonly url: string;
  readonly method: string;
  readonly headers: HeaderLists;
  readonly timeoutMs: number;
  readonly skipVerify: boolean;
}

const TIMEOUT_MS = 10_000;
const WITHOUT_STALE = new Set(['event']);
/** A connect proxy's own matters, which Consul takes from the command `watch` alone. */
const NOT_HERE = new Set(['agent_service', 'connect_leaf', 'connect_roots']);

type Values = Settled<typeof WATCH_KEYS>;

export function watchConfig({ watches }: Values, problems: Problems): readonly WatchDefinition[] {
  return watches.flatMap((watch, at) => {
    try {
      return [definition(watch, problems)];
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      problems.refuse(`watches[${at}]: ${error.message}`);
      return [];
    }
  });
}

function definition(watch: Tree, problems: Problems): WatchDefinition {
  const taken = new Taken(watch);
  const type = taken.text('type');
  if (NOT_HERE.has(type)) refuse(`Watch type ${type} is not allowed in agent config`);
  const handler = handlerOf(taken, problems);
  const datacenter = taken.text('datacenter');
  const token = taken.text('token');
  const stale = !WITHOUT_STALE.has(type) && taken.flag('stale');
  const params = Object.fromEntries(taken.left.map((name) => [name, paramOf(taken, name)]));
  watchPlan(type, watchParams(params));
  return { type, params, stale, datacenter, token, handler };
}

/** As `watchPlan` reads them. */
export function watchParams(params: WatchDefinition['params']) {
  const all = (name: string) => (Object.hasOwn(params, name) ? (params[name] ?? []) : []);
  return {
    given: Object.keys(params),
    all,
    text: (name: string) => all(name)[0] ?? '',
    isSet: (name: string) => all(name)[0] === 'true',
  };
}

function handlerOf(taken: Taken, problems: Problems): ProgramHandler | HttpHandler {
  const line = taken.text('handler');
  const words = taken.words('args', 'Watch args must be a list of strings');
  const kind = taken.text('handler_type') || 'script';
  if (kind !== 'script' && kind !== 'http') refuse(`Handler type '${kind}' not recognized`);
  const isGiven = [line !== '', words !== undefined, kind === 'http'].filter(Boolean).length;
  if (isGiven > 1) refuse('Only one watch handler allowed');
  if (isGiven === 0) refuse('Must define a watch handler');
  if (kind === 'http') return httpHandler(taken.tree('http_handler_config'));
  if (words !== undefined) {
    if (words.length === 0) refuse('Must define a watch handler: args is empty');
    return { kind: 'program', words, shell: false };
  }
  problems.warn("The 'handler' field in watches has been deprecated and replaced with 'args'");
  return { kind: 'program', words: [line], shell: true };
}

function httpHandler(tree: Tree | undefined): HttpHandler {
  if (tree === undefined) {
    return refuse("Handler type 'http' requires 'http_handler_config' to be set");
  }
  const taken = new Taken(tree);
  const url = taken.text('path');
  if (url === '') refuse("Failed to parse 'http_handler_config': Requires 'path' to be set");
  const isUrl = /^https?:\/\//i.test(url) && URL.canParse(url);
  // Not repeated: it may hold a password.
  if (!isUrl) refuse("Failed to parse 'http_handler_config': 'path' is no http:// or https:// URL");
  const timeout = taken.text('timeout');
  const handler: HttpHandler = {
    kind: 'http',
    url,
    method: taken.text('method') || 'POST',
    headers: headersOf(taken.tree('header')),
    timeoutMs: timeout === '' ? TIMEOUT_MS : timeoutMs(timeout),
    skipVerify: taken.flag('tls_skip_verify'),
  };
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(handler.method))
    refuse('the method of an HTTP handler is none');
  if (taken.left.length > 0) refuse(`Invalid parameters: [${taken.left.join(' ')}]`);
  return handler;
}

function timeoutMs(text: string): number {
  try {
    return durationMs(text);
  } catch (error) {
    const why = messageOf(error);
    return refuse(`Failed to parse 'http_handler_config': Failed to parse timeout: ${why}`);
  }
}

/** A parameter of a type, as Consul would have it. */
function paramOf(taken: Taken, name: string): readonly string[] {
  if (name === 'passingonly') return [String(taken.flag(name))];
  const isTag = name === 'tag';
  const complaint = `Expecting ${name} to be a string${isTag ? ' or []string' : ''}`;
  const values = taken.words(name, complaint) ?? [];
  return values.length === 1 || isTag ? values : refuse(complaint);
}
