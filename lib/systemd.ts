/**
 * Tells systemd when a process serves and when it ends (sd_notify). Node speaks no datagrams of Unix
 * sockets, so it goes through `systemd-notify`, which is wherever systemd is.
 */
import { type Environment, runQuietly } from './child.ts';
import type { Logger } from './logger.ts';

/** It says one word and ends; where it hangs, the start must not. */
const MOST_MS = 10_000;
const MAX_OUTPUT_BYTES = 1000;

/** `MAINPID`: by whom this is done from now on. */
export type State = 'READY=1' | 'STOPPING=1' | `READY=1\nMAINPID=${number}`;

/** Does nothing where no service manager waits for it. */
export function tellingSystemd(env: Environment, logger: Logger): (state: State) => void {
  if (!env['NOTIFY_SOCKET']) return () => undefined;
  return (state) => void tell(state, env, logger);
}

async function tell(state: State, env: Environment, logger: Logger): Promise<void> {
  const program = { words: ['systemd-notify', ...state.split('\n')], shell: false, env };
  const signal = AbortSignal.timeout(MOST_MS);
  const { fault, output } = await runQuietly(program, {
    input: '',
    maxOutputBytes: MAX_OUTPUT_BYTES,
    signal,
  });
  if (fault === '') return;
  const error = `${fault} ${output}`.trim();
  logger.warn('systemd could not be told', { state, error });
}
