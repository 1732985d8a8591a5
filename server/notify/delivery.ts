/** How a target is told: by a request or a program, within its time. Its secrets are in no error. */

import { type Environment, runQuietly } from '../../lib/child.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HttpWay, NotifyTarget, ProgramWay } from '../../lib/config/keys/notify.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { goDialError } from '../../lib/go-error.ts';
import { encodeJson } from '../../lib/json.ts';
import { lookupFor } from '../../lib/link-local.ts';
import { sendOut } from '../../lib/outgoing.ts';
import { alerts, type Notice, plainBody, type Sender, slackBody } from './notice.ts';

/** Nobody reads what a target says; a program's last words say why it failed. */
const MAX_OUTPUT_BYTES = 1024;
/** Not of what was said: whoever stands before the target answers so, or it has no time. */
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

export interface DeliveryDeps {
  readonly clock: Pick<Clock, 'after'>;
  readonly env: Environment;
}

/**
 * Rejects with a ProconsulError where the target was not told, or may not have been: 'invalid' where it
 * answers that it does not take these notices, 'rejected' where it fails at them and may have taken them all
 * the same; others may fare better.
 */
export type Deliver = (
  notices: readonly Notice[],
  sender: Sender,
  signal: AbortSignal,
) => Promise<void>;

export function deliveryTo(
  { way, timeoutMs }: NotifyTarget,
  { clock, env }: DeliveryDeps,
): Deliver {
  const tell = way.kind === 'program' ? byProgram(way, env) : byRequest(way);
  return async (notices, sender, signal) => {
    const late = new AbortController();
    const cancel = clock.after(timeoutMs, () => late.abort());
    try {
      await tell(notices, sender, AbortSignal.any([late.signal, signal]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      throw new ProconsulError('unavailable', `not done within ${timeoutMs / 1000} s`);
    } finally {
      cancel();
    }
  };
}

function byProgram({ words }: ProgramWay, env: Environment): Deliver {
  return async (notices, sender, signal) => {
    const input = `${encodeJson(plainBody(notices, sender))}\n`;
    const { fault, output, hasRun } = await runQuietly(
      { words, shell: false, env },
      { input, maxOutputBytes: MAX_OUTPUT_BYTES, signal },
    );
    if (fault === '') return;
    const said = output === '' ? '' : `: ${output.trim()}`;
    throw new ProconsulError(hasRun ? 'rejected' : 'unavailable', `${fault}${said}`);
  };
}

function byRequest({ kind, url: text, headers, skipVerify }: HttpWay): Deliver {
  const url = kind === 'alertmanager' ? alertsUrl(text) : new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return async (notices, sender, signal) => {
    const told = bodyOf(kind, notices, sender);
    if (Array.isArray(told) && told.length === 0) return;
    const body = encodeJson(told);
    let status: number;
    try {
      const answer = await sendOut(
        {
          method: 'POST',
          url,
          headers: { 'User-Agent': 'Proconsul', 'Content-Type': 'application/json', ...headers },
          body,
          tls: { skipVerify },
          // A cloud's metadata listens there, and nobody who is to be told anything.
          ...lookupFor(host, true),
          maxAnswerBytes: MAX_OUTPUT_BYTES,
        },
        signal,
      );
      status = answer.status;
    } catch (cause) {
      const why =
        cause instanceof ProconsulError ? cause.message : goDialError(cause, 'tcp', url.host);
      throw new ProconsulError('unavailable', why);
    }
    if (status >= 200 && status < 300) return;
    throw new ProconsulError(codeOf(status), `answers ${status}`);
  };
}

function codeOf(status: number): 'unavailable' | 'invalid' | 'rejected' {
  if (BUSY.has(status)) return 'unavailable';
  return status >= 400 && status < 500 ? 'invalid' : 'rejected';
}

function bodyOf(kind: HttpWay['kind'], notices: readonly Notice[], sender: Sender): unknown {
  if (kind === 'slack') return slackBody(notices, sender);
  return kind === 'alertmanager' ? alerts(notices, sender) : plainBody(notices, sender);
}

/** Its base is what people know. */
function alertsUrl(text: string): URL {
  const url = new URL(text);
  if (!url.pathname.endsWith('/api/v2/alerts')) {
    url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v2/alerts`;
  }
  return url;
}
