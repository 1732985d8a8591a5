/** What is done about a change: a program is run, or a request is sent. Neither ever ends a watch. */
import { type Environment, runQuietly } from '../../lib/child.ts';
import type { HttpHandler, ProgramHandler } from '../../lib/config/keys/watches.ts';
import { formatDuration, NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { goDialError } from '../../lib/go-error.ts';
import { sendOut } from '../../lib/outgoing.ts';
import type { System } from '../../lib/system.ts';

/** Of what a program or a server says, as in Consul. */
const MAX_OUTPUT_BYTES = 4096;

export interface Around {
  readonly env: Environment;
  readonly system: Pick<System, 'clock' | 'logger'>;
  readonly signal: AbortSignal;
}

export type Handle = (input: string, index: string) => Promise<void>;

export function handlerOf(handler: ProgramHandler | HttpHandler, around: Around): Handle {
  return handler.kind === 'http' ? sending(handler, around) : running(handler, around);
}

function running({ words, shell }: ProgramHandler, { env, system }: Around): Handle {
  const { logger } = system;
  const program = words.join(' ');
  return async (input, index) => {
    const { fault, output } = await runQuietly(
      { words, shell, env: { ...env, CONSUL_INDEX: index } },
      { input, maxOutputBytes: MAX_OUTPUT_BYTES },
    );
    if (fault !== '') logger.error('watch: a handler failed', { program, error: fault, output });
    else logger.debug('watch: a handler has run', { program, output });
  };
}

function sending(handler: HttpHandler, { system, signal }: Around): Handle {
  const { clock, logger } = system;
  const url = new URL(handler.url);
  // Neither a password nor a query, which may hold a secret.
  const where = `${url.origin}${url.pathname}`;
  return async (body, index) => {
    const late = new AbortController();
    const cancel = clock.after(handler.timeoutMs, () => late.abort());
    try {
      const {
        status,
        statusText,
        body: said,
      } = await sendOut(
        {
          method: handler.method,
          url,
          headers: {
            'User-Agent': 'Proconsul',
            'Content-Type': 'application/json',
            'X-Consul-Index': index,
            ...handler.headers,
          },
          body,
          tls: { skipVerify: handler.skipVerify },
          maxAnswerBytes: MAX_OUTPUT_BYTES,
        },
        AbortSignal.any([late.signal, signal]),
      );
      const fields = { url: where, status: `${status} ${statusText}`, output: said.toString() };
      if (status >= 200 && status < 300) logger.debug('watch: an HTTP handler was told', fields);
      else logger.error('watch: an HTTP handler refused', fields);
    } catch (cause) {
      if (signal.aborted) return;
      const timeout = `no answer within ${formatDuration(handler.timeoutMs * NS_PER_MS)}`;
      const error = late.signal.aborted ? timeout : reasonOf(cause, url);
      logger.error('watch: an HTTP handler cannot be told', { url: where, error });
    } finally {
      cancel();
    }
  };
}

function reasonOf(cause: unknown, url: URL): string {
  return cause instanceof ProconsulError ? cause.message : goDialError(cause, 'tcp', url.host);
}
