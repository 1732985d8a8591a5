/** The pages that people read, and what stands in them for a machine: fenced blocks, and commands within text. */
import { readdirSync, readFileSync } from 'node:fs';

/** Fenced by three backticks, with its language behind them. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Of the comment right above it: `run by FILE`, or `not run: WHY`. */
  readonly mark: string | undefined;
}

export interface Page {
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** Those of docs/api have specs of their own, which compare each answer. */
export function pages(): readonly Page[] {
  const paths = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs'), ...pagesIn('docs/monitoring')];
  return paths.sort().map((path) => {
    const text = readFileSync(path, 'utf8');
    return { path, text, blocks: blocksOf(path, text) };
  });
}

function pagesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return names.map((name) => `${folder}/${name}`);
}

const FENCE = /^( *)```(\w*)\n(.*?)^\1```$/gms;
const MARK = /<!-- (.*) -->$/;

function blocksOf(page: string, text: string): readonly Block[] {
  return [...text.matchAll(FENCE)].map(
    ({ index, 1: indent = '', 2: language = '', 3: inner = '' }) => {
      const before = text.slice(0, index).trimEnd();
      return {
        page,
        line: text.slice(0, index).split('\n').length,
        language,
        text: inner.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
        mark: MARK.exec(before)?.[1],
      };
    },
  );
}

/** Commands of this page that begin with the program, as words: of blocks for a shell, and of code within text. */
export function commandsOf(
  { text, blocks }: Page,
  program: RegExp,
): readonly (readonly string[])[] {
  const outside = text.replaceAll(FENCE, '');
  const inText = [...outside.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  const inBlocks = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap((block) => block.text.replaceAll('\\\n', ' ').split('\n'));
  return [...inText, ...inBlocks]
    .flatMap((line) => line.split(/ (?:\||&&|;|>|&)(?: |$)|\$\(|\)/))
    .map((each) => each.trim().replace(/^(?:[A-Z_]+=(?:'[^']*'|\S*) +)+/, ''))
    .filter((each) => program.test(each))
    .map(wordsOf);
}

/** Without quotes and comments. */
function wordsOf(command: string): readonly string[] {
  const found = command.replace(/(^| )#.*$/, '').matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g);
  return [...found].map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}
