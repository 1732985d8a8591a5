/** Flags as `-h` shows them. */
import { byName, type FlagTable } from './flags.ts';

const INDENT = '     ';
const LINE_LENGTH = 79;

/** One block of lines for each flag, by name. */
export function describeFlags(table: FlagTable): readonly string[] {
  return byName(table).map(([name, { kind, help }]) => {
    const value = kind === 'bool' ? '' : `=<${kind === 'map' ? 'key:value' : 'value'}>`;
    return `  -${name}${value}\n${wrap(help, INDENT)}`;
  });
}

/** The text in lines of a terminal's length, each with a newline. */
export function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > LINE_LENGTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${indent}${each}\n`).join('');
}
