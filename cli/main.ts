/** Where the program begins. Built, it stands alone with the commands that are not large. */
import { isLarge } from './large-commands.ts';

// Before anything is loaded that an older one cannot read.
if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(`proconsul: needs Node 20 or newer; this is ${process.version}\n`);
  process.exit(1);
}

async function begin(words: readonly string[]): Promise<void> {
  // A shell asks what may follow on its line.
  const large = process.env['COMP_LINE'] !== undefined || isLarge(words[0] ?? '');
  const { run } = large ? await import('./run-large.ts') : await import('./run-words.ts');
  await run(words, process.env);
}

// A rejection that nobody awaits is a bug: to go on would be to guess.
void begin(process.argv.slice(2));
