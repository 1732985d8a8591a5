/** Whom the servers tell of changes of services (docs/notices.md). */
import { ProconsulError } from '../../errors.ts';
import type { Problems } from '../problems.ts';
import { type Settled, type Tree, trees } from '../row.ts';
import { durationMs, type HeaderLists, headersOf, refuse, Taken } from '../taken.ts';

export const NOTIFY_KEYS = {
  notify: trees('Whom a server that leads tells of changes of services (docs/notices.md).', {
    reloads: true,
    secret: true,
  }),
};

/** What may be told of: what a service has come to. */
const OCCASIONS = ['critical', 'warning', 'passing', 'gone', 'new'] as const;
export type Occasion = (typeof OCCASIONS)[number];

const WAYS = ['webhook', 'slack', 'alertmanager'] as const;

export interface NotifyTarget {
  /** By which the log knows what it has been told. */
  readonly name: string;
  /** Names of services; a `*` at the end stands for whatever follows. */
  readonly services: readonly string[];
  readonly on: readonly Occasion[];
  readonly debounceMs: number;
  readonly timeoutMs: number;
  readonly way: HttpWay | ProgramWay;
}

export interface HttpWay {
  readonly kind: (typeof WAYS)[number];
  /** It may hold a secret, in its path too: never logged. */
  readonly url: string;
  readonly headers: HeaderLists;
  readonly skipVerify: boolean;
}

export interface ProgramWay {
  readonly kind: 'program';
  readonly words: readonly string[];
}

const DEBOUNCE_MS = 10_000;
const TIMEOUT_MS = 10_000;
/** Each has a row in the state for each of its services. */
const MAX_TARGETS = 16;

type Values = Settled<typeof NOTIFY_KEYS>;

export function notifyConfig({ notify }: Values, server: boolean, problems: Problems) {
  if (notify.length > 0 && !server) {
    problems.warn('notify has no effect here: servers tell of changes, and this is none');
  }
  if (notify.length > MAX_TARGETS) problems.refuse(`notify: at most ${MAX_TARGETS} are told`);
  const names = new Set<string>();
  return notify.flatMap((tree, at): NotifyTarget[] => {
    try {
      const target = targetOf(tree);
      if (names.has(target.name)) refuse(`${target.name} is there twice`);
      names.add(target.name);
      return [target];
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      problems.refuse(`notify[${at}]: ${error.message}`);
      return [];
    }
  });
}

function targetOf(tree: Tree): NotifyTarget {
  const taken = new Taken(tree);
  const name = taken.text('name');
  if (!/^[\w.-]{1,64}$/.test(name)) refuse('needs a name of letters, digits, dots and dashes');
  const services = taken.words('services', 'services must be a list of strings') ?? ['*'];
  const on = taken.words('on', 'on must be a list of strings');
  const target = {
    name,
    services,
    on: on === undefined ? OCCASIONS.filter((each) => each !== 'new') : on.map(occasion),
    debounceMs: duration(taken, 'debounce', DEBOUNCE_MS),
    timeoutMs: duration(taken, 'timeout', TIMEOUT_MS),
    way: wayOf(taken),
  };
  if (taken.left.length > 0) refuse(`does not know ${taken.left.join(', ')}`);
  return target;
}

function occasion(word: string): Occasion {
  const known = OCCASIONS.find((each) => each === word);
  return known ?? refuse(`on knows ${OCCASIONS.join(', ')}, and not ${word}`);
}

function duration(taken: Taken, name: string, fallback: number): number {
  const text = taken.text(name);
  if (text === '') return fallback;
  return /^0\D*$/.test(text) && name === 'debounce' ? 0 : durationMs(text);
}

function wayOf(taken: Taken): HttpWay | ProgramWay {
  const words = taken.words('args', 'args must be a list of strings') ?? [];
  const ways = WAYS.map((kind) => ({ kind, url: taken.text(kind) })).filter(
    ({ url }) => url !== '',
  );
  const [way, ...others] = ways;
  const headers = headersOf(taken.tree('header'));
  const skipVerify = taken.flag('tls_skip_verify');
  if (others.length > 0 || (way === undefined) === (words.length === 0)) {
    return refuse(`needs one of ${WAYS.join(', ')}, args`);
  }
  if (way === undefined) return { kind: 'program', words };
  // Not repeated: it may hold a secret.
  const isUrl = /^https?:\/\//i.test(way.url) && URL.canParse(way.url);
  return isUrl ? { ...way, headers, skipVerify } : refuse(`${way.kind} is no http(s):// URL`);
}
