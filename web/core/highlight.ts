/** A text in pieces, by what each is: for the eye alone, so that what is wrong may be cut in any way. */
import type { Form } from './forms.ts';

export type Kind = 'plain' | 'key' | 'string' | 'number' | 'word' | 'comment';

export interface Piece {
  readonly is: Kind;
  readonly text: string;
}

/** Line by line, and none of a longer one: to look for an end that is not there takes as long as what follows. */
const MAX_LINE = 1000;

const JSON_PARTS =
  /(?<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<string>"(?:[^"\\]|\\.)*")|(?<number>-?\b\d[\d.eE+-]*)|(?<word>\b(?:true|false|null)\b)/g;
/** A key is looked for where something stands alone: from each of a thousand spaces one would look through all of them. */
const YAML_PARTS =
  /(?<comment>(?<=^|\s)#.*)|(?<key>(?=[^\s-])(?<=^[ -]*)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#'"[\]{}&*!|>%@-](?:[^#]*?[^#\s])??)(?=[ \t]*:(?:\s|$)))|(?<string>(?<=[\s[{,])(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'))|(?<word>(?<=[\s[,])(?:(?:true|false|null|~)(?=[ \t]*(?:[\],}]|$))|[&*!][^\s,\]}]+))|(?<number>(?<=[\s[,])-?\d[\d._eE+-]*(?=[ \t]*(?:[\],}]|$)))/g;
const HCL_PARTS =
  /(?<comment>#.*|\/\/.*|\/\*.*?(?:\*\/|$))|(?<string>"(?:[^"\\]|\\.)*"|<<-?\w+$)|(?<word>\b(?:true|false)\b)|(?<key>[\p{L}_][\w.-]*(?=\s*(?:[={]|"[^"]*"\s*\{)))|(?<number>(?<![\w.])-?\d[\w.+-]*)/gu;

const PARTS: Readonly<Record<Form, RegExp | undefined>> = {
  text: undefined,
  json: JSON_PARTS,
  yaml: YAML_PARTS,
  hcl: HCL_PARTS,
};
const KINDS = ['key', 'string', 'number', 'word', 'comment'] as const;

/** What goes on over several lines, and the line that ends it. */
interface Open {
  readonly is: Kind;
  readonly endsIn: (line: string) => boolean;
}

/** Line by line; together they are the text, but for what ends lines. */
export function linesIn(form: Form, text: string): readonly (readonly Piece[])[] {
  let open: Open | undefined;
  return text.split('\n').map((line) => {
    const { is, endsIn } = open ?? {};
    if (is !== undefined && endsIn !== undefined) {
      if (endsIn(line)) open = undefined;
      return line === '' ? [] : [{ is, text: line }];
    }
    const pieces = line.length > MAX_LINE ? [plain(line)] : [...piecesIn(form, line)];
    if (form === 'hcl') open = openedBy(pieces.at(-1));
    return pieces;
  });
}

function openedBy(last: Piece | undefined): Open | undefined {
  const { is, text = '' } = last ?? {};
  if (is === 'comment' && text.startsWith('/*') && !/^\/\*.*\*\/$/.test(text)) {
    return { is, endsIn: (line) => line.includes('*/') };
  }
  const [, word] = /^<<-?(\w+)$/.exec(text) ?? [];
  if (is !== 'string' || word === undefined) return undefined;
  return { is, endsIn: (line) => line.trim() === word };
}

function* piecesIn(form: Form, line: string): Generator<Piece> {
  const parts = PARTS[form];
  let at = 0;
  for (const found of parts === undefined ? [] : line.matchAll(parts)) {
    const kind = KINDS.find((each) => found.groups?.[each] !== undefined);
    if (kind === undefined) continue;
    if (found.index > at) yield plain(line.slice(at, found.index));
    yield { is: kind, text: found[0] };
    at = found.index + found[0].length;
  }
  if (at < line.length) yield plain(line.slice(at));
}

function plain(text: string): Piece {
  return { is: 'plain', text };
}
