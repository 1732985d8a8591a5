import { stopAllLogServers } from '../support/servers/log-servers.ts';
import { killProconsuls } from '../support/servers/proconsul.ts';
import { stopAllRedis } from '../support/servers/redis.ts';

/** As long as a short experiment may take on a machine that is busy with others. */
export const SHORT_MS = 15 * 60_000;

/**
 * Runs an experiment, leaves no process behind, and exits with 1 when runs failed, or where there is no
 * verdict after `mostMs`.
 */
export async function report(
  experiment: (say: (line: string) => void) => Promise<number>,
  mostMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  let failed = 1;
  const late = async () => {
    say(`FAILED: no verdict after ${mostMs / 60_000} minutes`);
    await killProconsuls();
    process.exit(1);
  };
  const timer = Number.isFinite(mostMs) ? setTimeout(() => void late(), mostMs) : undefined;
  try {
    failed = await experiment(say);
  } catch (error) {
    say(error instanceof Error ? `${error.stack}` : String(error));
  } finally {
    say(failed === 0 ? 'all runs passed' : `${failed} runs failed`);
    clearTimeout(timer);
    await killProconsuls();
    await stopAllLogServers();
    await stopAllRedis();
    process.exitCode = failed === 0 ? 0 : 1;
  }
}
