/** What a command says of itself to -h, and below a complaint. */
import { describeFlags, wrap } from '../lib/config/flags.ts';
import { HTTP_FLAGS } from './api-options.ts';
import type { Command } from './command.ts';

/** What is to be read of a command. */
export type Manual = Pick<Command, 'synopsis' | 'details' | 'examples' | 'http' | 'flags'>;

const LINE_LENGTH = 79;
const INDENT = '      ';

/** Its own flags first: those of the HTTP API are the same everywhere. */
export function usageOf(name: string, summary: string, manual: Manual): string {
  const { synopsis, details = '', examples = [], http, flags } = manual;
  const line = `Usage: proconsul ${name} ${synopsis}`.trimEnd();
  const options = describeFlags(flags);
  const shared = describeFlags(HTTP_FLAGS[http]);
  return [
    `${line}\n\n${wrap(`${summary}. ${details}`.trimEnd(), '  ')}`,
    ...(examples.length === 0 ? [] : [`Examples\n\n${examples.map(exampleOf(name)).join('')}`]),
    ...(options.length === 0 ? [] : ['Command Options\n', ...options]),
    ...(shared.length === 0 ? [] : ['HTTP API Options\n', ...shared]),
  ].join('\n');
}

function exampleOf(name: string): (rest: string) => string {
  return (rest) => {
    const lines = shellLines(`$ proconsul ${name} ${rest}`, LINE_LENGTH - INDENT.length);
    return lines.map((each) => `${INDENT}${each}\n`).join('');
  };
}

/** A command as a shell takes it, over several lines where it is longer than one. */
export function shellLines(command: string, length: number): readonly string[] {
  // A word goes on over what is quoted in it.
  const [first = '', ...words] = command.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (line.length + word.length + ' \\'.length >= length) {
      lines.push(`${line} \\`);
      line = `    ${word}`;
    } else line += ` ${word}`;
  }
  return [...lines, line];
}
