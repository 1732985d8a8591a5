import { stopAllLogServers } from '../support/servers/log-servers.ts';
import { stopAllRedis } from '../support/servers/redis.ts';

/** Runs an experiment, leaves no process behind, and exits with 1 when runs failed. */
export async function report(
  experiment: (say: (line: string) => void) => Promise<number>,
): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  let failed = 1;
  try {
    failed = await experiment(say);
  } catch (error) {
    say(error instanceof Error ? `${error.stack}` : String(error));
  } finally {
    say(failed === 0 ? 'all runs passed' : `${failed} runs failed`);
    await stopAllLogServers();
    await stopAllRedis();
    process.exitCode = failed === 0 ? 0 : 1;
  }
}
