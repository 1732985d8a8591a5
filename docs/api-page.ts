/**
 * A page of docs/api: sections headed by a row of the route table, what is made of that row, and examples
 * with what they answer. In what is shown `…` stands for anything, and `<name>` for a value that is
 * whatever it is the first time, and the same from then on, in commands too.
 */

import { spoken } from '../lib/http/right.ts';
import type { Route } from '../lib/http/route.ts';
import { Router } from '../lib/http/router.ts';
import { isRaw, READING } from '../lib/http/takes.ts';

export interface Example {
  readonly command: string;
  /** As the page shows it; undefined where it shows nothing. */
  readonly shown: string | undefined;
  /** How it is written: json, http or text. */
  readonly form: string;
  /** Where the shown answer begins and ends, in the page's lines. */
  readonly from: number;
  readonly to: number;
}

/** `## \`GET /v1/kv/<key>\`` */
const HEADING = /^#{2,3} `(GET|PUT|POST|DELETE) (\/\S+)`$/;
const START = 'bin/proconsul agent -dev -node=n1';
const TOKEN = 'TOKEN=';
const FENCE = '```';
/** Values of names, as the examples before have shown them. */
export type Names = Map<string, string>;

export class ApiPage {
  readonly lines: readonly string[];

  constructor(text: string) {
    this.lines = text.split('\n');
  }

  /** Rows as the headings name them: a method and a path. */
  headings(): { readonly method: string; readonly path: string; readonly line: number }[] {
    return this.lines.flatMap((text, line) => {
      const [, method = '', path = ''] = HEADING.exec(text) ?? [];
      return method === '' ? [] : [{ method, path, line }];
    });
  }

  /** The flags that the agent of the examples is started with. */
  get flags(): string {
    const line = this.lines.find((each) => each.startsWith(START));
    return line?.slice(START.length) ?? '';
  }

  /** The token of whoever runs the examples, where there is access control. */
  get token(): string {
    return this.lines.find((each) => each.startsWith(TOKEN))?.slice(TOKEN.length) ?? '';
  }

  examples(): Example[] {
    const examples: Example[] = [];
    for (const block of this.#blocks('sh')) {
      const command = this.lines.slice(block.from, block.to).join('\n');
      if (!command.includes('curl')) continue;
      // What is shown follows at once, or else nothing is.
      const opening = block.to + 2;
      const form = this.lines[opening]?.startsWith(FENCE)
        ? (this.lines[opening] ?? '').slice(FENCE.length)
        : '';
      const to = form === '' || form === 'sh' ? -1 : this.lines.indexOf(FENCE, opening);
      const shown = to < 0 ? undefined : this.lines.slice(opening + 1, to).join('\n');
      examples.push({ command, shown, form, from: opening + 1, to });
    }
    return examples;
  }

  #blocks(language: string): { from: number; to: number }[] {
    return this.lines.flatMap((text, i) =>
      text === FENCE + language ? [{ from: i + 1, to: this.lines.indexOf(FENCE, i) }] : [],
    );
  }

  /** The page with what is made of the rows below each heading. */
  withRows(routes: readonly Route[]): string {
    const router = new Router(routes);
    const headings = new Map(this.headings().map((each) => [each.line, each]));
    const made: string[] = [];
    let isOld = false;
    for (const [i, line] of this.lines.entries()) {
      const heading = headings.get(i);
      // The old one stands right below its heading.
      if (isOld && (line === '' || line.startsWith('>'))) continue;
      isOld = heading !== undefined;
      made.push(line);
      if (heading === undefined) continue;
      const row = rowOf(router, heading);
      made.push('', ...(row === undefined ? [] : summaryOf(row, heading.path)), '');
    }
    return made.join('\n').replace(/\n*$/, '\n');
  }
}

/** The row that a heading is about. */
export function rowOf(
  router: Router,
  { method, path }: { readonly method: string; readonly path: string },
): Route | undefined {
  const match = router.match(path);
  const row = match?.methods.get(method);
  if (row === undefined || match === undefined) return undefined;
  // `/v1/kv/<key>`, with at most one of what the row says may stand behind it.
  const [rest = '', end] = match.rest.split(/(?<=>)\//);
  if (row.path.endsWith('/') && rest !== `<${row.rest}>`) return undefined;
  return end === undefined || Object.hasOwn(row.ends ?? {}, end) ? row : undefined;
}

/** What the row says of itself. */
function summaryOf(row: Route, path: string): string[] {
  const end = path.slice(path.lastIndexOf('>/') + 2);
  const does = row.ends?.[end] ?? row.does;
  const right = row.right.by === 'nobody' ? 'No right needed.' : `Needs ${words(row)}.`;
  const params = Object.entries(row.params ?? {}).filter(
    ([name]) => !Object.hasOwn(READING, name) || !reads(row),
  );
  const more = reads(row) ? ' Takes the [options of a read](README.md#reading).' : '';
  return [
    `> ${capital(does)}. ${right}${more}`,
    ...params.map(
      ([name, { says, many }]) => `> - \`?${name}\`${many ? ' (any number)' : ''}: ${says}`,
    ),
    ...bodyOf(row),
    ...Object.entries(row.answers ?? {}).map(([status, says]) => `> - answers ${status}: ${says}`),
  ];
}

export function reads({ params = {} }: Pick<Route, 'params'>): boolean {
  return Object.keys(READING).every((name) => Object.hasOwn(params, name));
}

function words({ right }: Route): string {
  const need = spoken(right);
  return need === 'own' ? 'what is said below' : `\`${need}\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function bodyOf({ body }: Route): string[] {
  if (body === undefined) return [];
  if (isRaw(body)) return [`> - body: ${body.what}`];
  const { schema, optional } = body;
  const isList = schema['type'] === 'array';
  const fields = Object.keys((isList ? schema['items'] : schema)['properties']);
  const what = `${isList ? 'a list of objects' : 'an object'} with ${fields.map((f) => `\`${f}\``).join(', ')}`;
  return [`> - body${optional ? ' (may be missing)' : ''}: ${what}`];
}
