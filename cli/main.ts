/** The command line: the only file that reads the environment and ends the process. */
// Before anything is loaded that an older one cannot read.
if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(`proconsul: needs Node 20 or newer; this is ${process.version}\n`);
  process.exit(1);
}

const [command = '', ...argv] = process.argv.slice(2);

let ending: AbortSignal | undefined;

const print = (text: string | Buffer) => void process.stdout.write(text);

if (command === 'agent') {
  const { shownWords } = await import('./shown-words.ts');
  const words = shownWords(['proconsul', command, ...argv]);
  if (words !== undefined) process.title = words;
  // Only here: the other commands start in a fraction of the time without it.
  const { agentCommand } = await import('./commands/agent.ts');
  // A rejection that nobody awaits is a bug: to go on would be to guess.
  await agentCommand(argv, {
    redisUrl: process.env['PROCONSUL_REDIS_URL'],
    dockerHost: process.env['DOCKER_HOST'],
    env: process.env,
    idleVariables: [
      'CONSUL_LOCAL_CONFIG',
      'CONSUL_BIND_INTERFACE',
      'CONSUL_CLIENT_INTERFACE',
      'CONSUL_CONFIG_DIR',
      'CONSUL_DATA_DIR',
    ].filter((name) => process.env[name]),
    print,
    exit: (code) => process.exit(code),
    onSignal: (signal, act) => void process.on(signal, act),
  });
} else {
  const { runCommand } = await import('./run-command.ts');
  const isVersion = /^--?(v|version)$/.test(command);
  // Whoever reads has seen enough, as `head` has: what is left has no use.
  process.stdout.once('error', () => process.exit(1));
  process.exitCode = await runCommand(isVersion ? ['version', ...argv] : process.argv.slice(2), {
    env: process.env,
    print,
    printError: (text) => void process.stderr.write(text),
    readStdin,
    // Made when it is first asked for: a command that waits for nothing else just ends.
    get signal() {
      return endSignal();
    },
  });
}

async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function endSignal(): AbortSignal {
  if (ending === undefined) {
    const controller = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => controller.abort());
    }
    ending = controller.signal;
  }
  return ending;
}
