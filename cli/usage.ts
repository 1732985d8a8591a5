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

/** As a shell takes it, over several lines where it is long. */
function exampleOf(name: string): (rest: string) => string {
  return (rest) => {
    // A word goes on over what is quoted in it.
    const words = `proconsul ${name} ${rest}`.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
    const lines: string[] = [];
    let line = '$';
    for (const word of words) {
      if (INDENT.length + line.length + word.length + ' \\'.length >= LINE_LENGTH) {
        lines.push(`${line} \\`);
        line = `   ${word}`;
      } else line += ` ${word}`;
    }
    return [...lines, line].map((each) => `${INDENT}${each}\n`).join('');
  };
}
