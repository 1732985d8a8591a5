/** The command line: the only file that reads the environment and ends the process. */
const VERSION = '1.8.7';

const [command = '', ...argv] = process.argv.slice(2);

const print = (text: string) => void process.stdout.write(text);

switch (command) {
  case 'agent': {
    // Only here: the other commands start in a fraction of the time without it.
    const { agentCommand } = await import('./cli/commands/agent.ts');
    // A rejection that nobody awaits is a bug: to go on would be to guess.
    await agentCommand(argv, {
      redisUrl: process.env['PROCONSUL_REDIS_URL'],
      dockerHost: process.env['DOCKER_HOST'],
      print,
      exit: (code) => process.exit(code),
      onSignal: (signal, act) => void process.on(signal, act),
    });
    break;
  }
  case 'version':
  case '--version':
  case '-version':
  case '-v':
    print(
      argv.some((flag) => /^--?format=json$/.test(flag))
        ? `${JSON.stringify({ Version: VERSION })}\n`
        : `Consul v${VERSION}\nProconsul, which speaks Consul's protocols\n`,
    );
    break;
  default:
    print('Usage: proconsul [--version] [--help] <command> [<args>]\n\nCommands: agent, version\n');
    process.exitCode = 127;
}
