/**
 * Requests to those who know people: an API server of Kubernetes, a provider of identities. Whoever
 * may write access control says where they are; whoever logs in, who may be anybody, makes us ask. So
 * all is bounded: how many at once, how long, how much; and no answer leads anywhere else.
 */
import type { Clock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { goDialError } from '../../../lib/go-error.ts';
import { type OutgoingAnswer, sendOut } from '../../../lib/outgoing.ts';

const TIMEOUT_MS = 10_000;
/** Of keys and identities; a body that never ends would keep the machine busy. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Strangers make these: others than they must still get through the same machine. */
const MAX_AT_ONCE = 128;
/** One place that is slow in answering must not keep everybody else's users out. */
const MAX_OF_ONE_PLACE = 32;

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Certificates of the authorities to trust, as PEM; the machine's where it is ''. */
  readonly ca: string;
}

export type Called = Pick<OutgoingAnswer, 'status' | 'contentType' | 'body'>;

export class Outbound {
  readonly #clock: Pick<Clock, 'after'>;
  #underWay = 0;
  /** By host and port. */
  readonly #byPlace = new Map<string, number>();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Throws 'rejected' where there is no whole answer; its text holds neither headers nor bodies. */
  async send(call: Call, signal: AbortSignal): Promise<Called> {
    const url = urlOf(call);
    const leave = this.#enter(url.host);
    const ends = new AbortController();
    const stop = () => ends.abort();
    signal.addEventListener('abort', stop, { once: true });
    const cancel = this.#clock.after(TIMEOUT_MS, stop);
    try {
      return await exchange(call, url, AbortSignal.any([ends.signal, signal]));
    } catch (cause) {
      const why = ends.signal.aborted ? 'context deadline exceeded' : reasonOf(cause, url);
      throw new ProconsulError('rejected', `${spoken(call, url)}: ${why}`);
    } finally {
      leave();
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  #enter(place: string): () => void {
    const there = this.#byPlace.get(place) ?? 0;
    if (this.#underWay >= MAX_AT_ONCE || there >= MAX_OF_ONE_PLACE) {
      throw new ProconsulError('busy', 'too many logins are under way');
    }
    this.#underWay++;
    this.#byPlace.set(place, there + 1);
    return () => {
      this.#underWay--;
      const left = (this.#byPlace.get(place) ?? 1) - 1;
      if (left > 0) this.#byPlace.set(place, left);
      else this.#byPlace.delete(place);
    };
  }
}

function urlOf(call: Call): URL {
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(call.url)?.[1]?.toLowerCase() ?? '';
  const why =
    scheme === 'http' || scheme === 'https'
      ? 'invalid URL'
      : `unsupported protocol scheme "${scheme}"`;
  if (why === 'invalid URL' && URL.canParse(call.url)) return new URL(call.url);
  throw new ProconsulError('rejected', `${verb(call)}: ${why}`);
}

/** As Go says it, without what may be secret of a URL: a password, a query. */
function spoken(call: Call, { origin, pathname }: URL): string {
  return `${verb(call)} "${origin}${pathname}"`;
}

function verb({ method }: Call): string {
  return method === 'GET' ? 'Get' : 'Post';
}

function reasonOf(cause: unknown, url: URL): string {
  return cause instanceof ProconsulError ? cause.message : goDialError(cause, 'tcp', url.host);
}

async function exchange(call: Call, url: URL, signal: AbortSignal): Promise<Called> {
  const { method, body, ca } = call;
  const headers = { Accept: 'application/json', ...call.headers };
  const outgoing = { method, url, headers, body, tls: { ca }, maxAnswerBytes: MAX_BODY_BYTES };
  const answer = await sendOut(outgoing, signal);
  if (!answer.isCut) return answer;
  throw new ProconsulError('rejected', `body beyond ${MAX_BODY_BYTES} bytes`);
}
