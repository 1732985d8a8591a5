/** A program: exit code 0 is passing, 1 is warning, all else critical. Never through a shell. */
import { type ChildProcess, spawn } from 'node:child_process';
import { formatDuration, NS_PER_MS } from '../../../lib/duration.ts';
import { OutputTail } from '../../../lib/output-tail.ts';
import { looking } from '../probing/looking.ts';
import { critical, type Look, type Probe, passing, warning } from '../probing/probe.ts';
import { ARGS, checkKind } from './kind.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export const script = checkKind({
  type: 'script',
  fields: { Args: ARGS },
  runsPrograms: true,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  probe: ({ Args }, context) => programProbe({ args: Args, ...context }),
  labels: {
    check_script: (command, { hostPort }) => ({ Args: inShell(interpolated(command, hostPort)) }),
  },
});

/** Labels hold a line for a shell, as registrator's do. */
export function inShell(command: string): readonly string[] {
  return ['sh', '-c', command];
}

/** Done here and not by the shell, as registrator does: the script may run elsewhere. */
function interpolated(command: string, hostPort: string): string {
  const colon = hostPort.lastIndexOf(':');
  const address = hostPort.slice(0, colon).replace(/^\[|\]$/g, '');
  return command
    .replaceAll('$SERVICE_IP', address)
    .replaceAll('$SERVICE_PORT', hostPort.slice(colon + 1));
}

export interface Program {
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export function programProbe({ args, timeoutMs, maxOutputBytes }: Program): Probe {
  const [program = '', ...rest] = args;
  return (signal) => {
    const tail = new OutputTail(maxOutputBytes);
    const timedOut = () => {
      const time = formatDuration(timeoutMs * NS_PER_MS);
      const said = tail.total === 0 ? '' : `\n\n${tail.captured}`;
      return critical(`Timed out (${time}) running check${said}`);
    };
    return looking({ signal, timedOut }, (look) => {
      // A group of its own, so that what the program started ends with it.
      const child = spawn(program, rest, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      look.on(child, 'error', (error: NodeJS.ErrnoException) =>
        look.end(critical(failure(error, program))),
      );
      let runs = true;
      look.finally(() => release(child, runs));
      for (const stream of [child.stdout, child.stderr]) {
        look.on(stream, 'data', (part: Buffer) => tail.push(part));
      }
      look.on(child, 'close', (code: number | null, by: NodeJS.Signals | null) => {
        runs = false;
        const said = tail.captured;
        look.end(lookOf(code, said === '' && by !== null ? `signal: ${by}` : said));
      });
    });
  };
}

function lookOf(code: number | null, output: string): Look {
  if (code === 0) return passing(output);
  return code === 1 ? warning(output) : critical(output);
}

function failure(error: NodeJS.ErrnoException, program: string): string {
  const { code = '' } = error;
  // That it may not be looked for in some folder, or is no program there, does not say that it is anywhere.
  if (!program.includes('/') && ['ENOENT', 'EACCES'].includes(code)) {
    return `exec: "${program}": executable file not found in $PATH`;
  }
  if (code === 'ENOENT') return `fork/exec ${program}: no such file or directory`;
  return code === 'EACCES' ? `fork/exec ${program}: permission denied` : error.message;
}

/**
 * Ends what still runs of it. What left its group, as a daemon does, lives on and holds the other
 * ends of the pipes: ours are closed, or each look would leave two open files behind.
 */
function release(child: ChildProcess, runs: boolean): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (runs && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
}
