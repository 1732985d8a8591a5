/** Checks that run in a container: a command says by its exit code how it is. */
import type { CheckStatus } from '../../lib/model.ts';
import { OutputTail } from '../../lib/output-tail.ts';
import type { ContainerRuntime } from './runtime.ts';

export interface ExecResult {
  readonly status: CheckStatus;
  readonly output: string;
}

/** What Consul keeps of a check's output, unless told otherwise. */
const MAX_OUTPUT_BYTES = 4096;

/** Makes the probe; it rejects what cannot be run, and settles soon after its signal. */
export function execProbe(
  runtime: Pick<ContainerRuntime, 'exec'>,
  command: { readonly containerId: string; readonly args: readonly string[] },
  maxOutputBytes = MAX_OUTPUT_BYTES,
): (signal: AbortSignal) => Promise<ExecResult> {
  return async (signal) => {
    const output = new OutputTail(maxOutputBytes);
    const onOutput = (part: Buffer) => output.push(part);
    const exitCode = await runtime.exec({ ...command, onOutput }, signal);
    return { status: statusOf(exitCode), output: output.captured };
  };
}

/** As for scripts: 0 is passing, 1 warning, anything else critical. */
function statusOf(exitCode: number | null): CheckStatus {
  if (exitCode === 0) return 'passing';
  return exitCode === 1 ? 'warning' : 'critical';
}
