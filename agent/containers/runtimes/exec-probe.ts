/** Docker exec checks: a command inside a container says by its exit code how it is. */
import { Writable } from 'node:stream';
import type Docker from 'dockerode';
import { ProconsulError } from '../../../lib/errors.ts';
import type { CheckStatus } from '../../../lib/model.ts';

export interface ExecResult {
  readonly status: CheckStatus;
  readonly output: string;
}

export interface ExecCommand {
  /** A container's id or name, as the check's DockerContainerID. */
  readonly containerId: string;
  /** The command and its arguments; no shell reads them. */
  readonly args: readonly string[];
}

/** What Consul keeps of a check's output, unless told otherwise. */
export const MAX_EXEC_OUTPUT_BYTES = 4096;

/** Docker's own rule for names; ids are within it. Nothing that a path could be made of. */
const CONTAINER = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

/**
 * Makes the probe. It rejects what cannot be run without asking anyone, and settles soon after its
 * signal; the command itself then goes on in the container, for Docker has no way to end one.
 */
export function execProbe(
  docker: Docker,
  { containerId, args }: ExecCommand,
  maxOutputBytes = MAX_EXEC_OUTPUT_BYTES,
): (signal: AbortSignal) => Promise<ExecResult> {
  return async (signal) => {
    if (!CONTAINER.test(containerId)) {
      throw new ProconsulError('invalid', `Invalid container id ${JSON.stringify(containerId)}`);
    }
    const exec = await docker.getContainer(containerId).exec({
      Cmd: [...args],
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: signal,
    });
    const stream = await exec.start({ abortSignal: signal });
    const output = new Collected(maxOutputBytes);
    docker.modem.demuxStream(stream, output, output);
    await ended(stream, signal);
    const { ExitCode } = await exec.inspect({ abortSignal: signal });
    return { status: statusOf(ExitCode), output: output.text };
  };
}

/** As for scripts: 0 is passing, 1 warning, anything else critical. */
function statusOf(exitCode: number | null): CheckStatus {
  if (exitCode === 0) return 'passing';
  return exitCode === 1 ? 'warning' : 'critical';
}

function ended(stream: NodeJS.ReadableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
      reject(new ProconsulError('unavailable', 'the command in the container took too long'));
    };
    const settle = (then: () => void) => () => {
      signal.removeEventListener('abort', abort);
      then();
    };
    stream.once('end', settle(resolve));
    stream.once('close', settle(resolve));
    stream.once('error', (error) => settle(() => reject(error))());
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

/** Keeps the first bytes and drops the rest, so that a chatty command never stalls. */
class Collected extends Writable {
  readonly #chunks: Buffer[] = [];
  #left: number;

  constructor(maxBytes: number) {
    super();
    this.#left = maxBytes;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const kept = chunk.subarray(0, this.#left);
    this.#left -= kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
    done();
  }
}
