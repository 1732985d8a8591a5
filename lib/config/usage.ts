import { AGENT_FLAGS } from './agent-flags.ts';
import { byName } from './flags.ts';

const INDENT = '     ';
const LINE_LENGTH = 79;

/** The answer to `agent -h`. */
export function agentUsage(): string {
  const flags = byName(AGENT_FLAGS).map(([name, { kind, help }]) => {
    const value = kind === 'bool' ? '' : `=<${kind === 'map' ? 'key:value' : 'value'}>`;
    return `  -${name}${value}\n${wrap(help)}\n`;
  });
  return [
    'Usage: proconsul agent [options]\n',
    '  Starts the agent and runs until it is told to end. With -server it is a',
    '  registry server as well; with -dev, one that keeps everything in memory.\n',
    'Options\n',
    ...flags,
  ].join('\n');
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT.length + line.length + 1 + word.length > LINE_LENGTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${INDENT}${each}\n`).join('');
}
