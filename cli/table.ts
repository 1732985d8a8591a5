/** Tables: the same bytes as Consul's for programs, and on a terminal as people read them. */
import { columns } from './command.ts';
import { oneLine, type Terminal, type Tone, toned } from './terminal.ts';

/** Words that say how something is. */
const TONES: ReadonlyMap<string, Tone> = new Map([
  ...['alive', 'passing', 'healthy'].map((word) => [word, 'good'] as const),
  ...['critical', 'failed', 'unhealthy'].map((word) => [word, 'bad'] as const),
  ...['leaving', 'left', 'warning'].map((word) => [word, 'doubtful'] as const),
]);

/** Between a name and its value. */
const GAP = 2;

type Rows = readonly (readonly string[])[];

/** The first row is the header. What is wider than the terminal has a line for each cell. */
export function table(terminal: Terminal | undefined, rows: Rows, gap = 2): string {
  if (terminal === undefined) return columns(rows, gap);
  const shown = rows.map((row) => row.map(oneLine));
  const text = columns(shown, gap);
  const widest = Math.max(...text.split('\n').map((line) => line.length));
  if (widest > terminal.columns && rows.length > 1) return blocks(shown, terminal.columns);
  const [header = '', ...lines] = text.split('\n');
  const body = lines.map((line) => line.replace(/(?<= |^)\w+(?= |$)/g, inTone));
  return [toned('heading', header), ...body].join('\n');
}

/** One without a header, whose rows are short. */
export function list(terminal: Terminal | undefined, rows: Rows, gap = 2): string {
  return columns(terminal === undefined ? rows : rows.map((row) => row.map(oneLine)), gap);
}

function blocks([names = [], ...rows]: Rows, width: number): string {
  const labels = Math.max(...names.map((name) => name.length));
  const block = (row: readonly string[]) =>
    row.map((cell, at) => {
      const name = toned('heading', (names[at] ?? '').padEnd(labels));
      const lines = broken(cell, width - labels - GAP);
      const value = lines.length === 1 ? inTone(cell) : lines.join(`\n${' '.repeat(labels + GAP)}`);
      return `${name}  ${value}`.trimEnd().concat('\n');
    });
  return rows.map((row) => block(row).join('')).join('\n');
}

/** In lines of so many characters where commas and spaces allow it. */
function broken(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of text.split(/(?<=[, ])/)) {
    if (line !== '' && line.length + piece.length > width) {
      lines.push(line);
      line = '';
    }
    line += piece;
  }
  return [...lines, line];
}

function inTone(word: string): string {
  const tone = TONES.get(word);
  return tone === undefined ? word : toned(tone, word);
}
