/** A program: exit code 0 is passing, 1 is warning, all else critical. Never through a shell. */
import { type ChildProcess, spawn } from 'node:child_process';
import { formatDuration, NS_PER_MS } from '../../../lib/duration.ts';
import { OutputTail } from '../output-tail.ts';
import { critical, type Look, type Probe, passing, warning } from '../probe.ts';

export interface ScriptProbeOptions {
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export function scriptProbe({ args, timeoutMs, maxOutputBytes }: ScriptProbeOptions): Probe {
  const [program = '', ...rest] = args;
  return (signal) =>
    new Promise((resolve) => {
      const tail = new OutputTail(maxOutputBytes);
      // A group of its own, so that what the program started ends with it.
      const child = spawn(program, rest, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.on('data', (part: Buffer) => tail.push(part));
      child.stderr.on('data', (part: Buffer) => tail.push(part));
      const end = (look: Look) => {
        signal.removeEventListener('abort', timedOut);
        resolve(look);
      };
      const timedOut = () => {
        kill(child);
        const time = formatDuration(timeoutMs * NS_PER_MS);
        const said = tail.total === 0 ? '' : `\n\n${tail.captured}`;
        end(critical(`Timed out (${time}) running check${said}`));
      };
      signal.addEventListener('abort', timedOut, { once: true });
      child.once('error', (error) => end(critical(failure(error, program))));
      child.once('close', (code) => end(lookOf(code, tail.captured)));
    });
}

/** Whether systemd has the unit running. */
export function osServiceProbe(unit: string, maxOutputBytes: number): Probe {
  const args = ['systemctl', 'is-active', '--', unit];
  const probe = scriptProbe({ args, timeoutMs: 0, maxOutputBytes });
  return async (signal) => {
    const { status, output } = await probe(signal);
    if (status === 'passing') return passing(`Service "${unit}" is healthy`);
    return critical(`Service "${unit}" is not running: ${output.trim()}`);
  };
}

function lookOf(code: number | null, output: string): Look {
  if (code === 0) return passing(output);
  return code === 1 ? warning(output) : critical(output);
}

function failure(error: NodeJS.ErrnoException, program: string): string {
  if (error.code === 'ENOENT') {
    return program.includes('/')
      ? `fork/exec ${program}: no such file or directory`
      : `exec: "${program}": executable file not found in $PATH`;
  }
  return error.code === 'EACCES' ? `fork/exec ${program}: permission denied` : error.message;
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}
