/** Runs an agent, or one of the commands that a built program does not have in its first file. */
import type { Environment } from '../lib/child.ts';
import { run as runWords } from './run-words.ts';

export async function run(words: readonly string[], env: Environment): Promise<void> {
  const [command, ...argv] = words;
  if (command !== 'agent') {
    await runWords(words, env);
    return;
  }
  const { shownWords } = await import('./shown-words.ts');
  const shown = shownWords(['proconsul', ...words]);
  if (shown !== undefined) process.title = shown;
  // Only here: the other commands start in a fraction of the time without it.
  const { agentCommand } = await import('./commands/agent.ts');
  await agentCommand(argv, {
    redisUrl: env['PROCONSUL_REDIS_URL'],
    dockerHost: env['DOCKER_HOST'],
    env,
    idleVariables: [
      'CONSUL_LOCAL_CONFIG',
      'CONSUL_BIND_INTERFACE',
      'CONSUL_CLIENT_INTERFACE',
      'CONSUL_CONFIG_DIR',
      'CONSUL_DATA_DIR',
    ].filter((name) => env[name]),
    print: (text) => void process.stdout.write(text),
    exit: (code) => process.exit(code),
    onSignal: (signal, act) => void process.on(signal, act),
  });
}
