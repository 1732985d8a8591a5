/** How the commands of access control print what they have read or made: -format and -meta. */
import type { Flag } from '../../lib/config/flags.ts';
import { encodeJson } from '../../lib/json.ts';
import type { Command, Invocation } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';
import type { Style } from './pretty.ts';

/** A flag and its name, as the table of a command's flags is made of them. */
export type FlagRow = readonly [string, Flag];

export const SHOW: readonly FlagRow[] = [
  FORMAT,
  ['meta', { kind: 'bool', help: 'Show the hash and the indexes too.' }],
];

interface Showing<T> extends Pick<Command, 'synopsis' | 'details' | 'examples'> {
  /** Beside -format and -meta. */
  readonly flags?: readonly FlagRow[];
  readonly hasMeta?: false;
  /** Makes, changes or reads it. */
  readonly object: (invocation: Invocation) => Promise<T>;
}

/** A command that ends with showing one object. */
export function showCommand<T>(
  shape: Shape<T>,
  { flags = [], hasMeta, object, ...usage }: Showing<T>,
): Command {
  return {
    ...usage,
    http: 'query',
    flags: new Map([...flags, ...(hasMeta === false ? [FORMAT] : SHOW)]),
    async run(invocation) {
      checkFormat(invocation);
      return showOne(invocation, await object(invocation), shape);
    },
  };
}

/** A kind of object: how people see it, and which fields its JSON always has. */
export interface Shape<T> {
  readonly pretty: (object: T, style: Style) => string;
  /** With what Go's client writes also where the answer has left it out. */
  readonly whole?: (object: T, inList: boolean) => object;
}

/** Throws before anything is asked: a token must not be made whose secret is then not shown. */
export function checkFormat({ flags }: Pick<Invocation, 'flags'>): void {
  wantsJson(flags);
}

function showOne<T>({ flags, host }: Invocation, object: T, shape: Shape<T>): number {
  const style = { meta: flags.isSet('meta'), inList: false };
  const json = wantsJson(flags);
  host.print(
    `${json ? encodeJson(whole(object, shape, false), true) : shape.pretty(object, style)}\n`,
  );
  return 0;
}

export function showList<T>(
  { flags, host }: Invocation,
  objects: readonly T[] | null,
  shape: Shape<T>,
  between = '',
): number {
  const all = objects ?? [];
  if (wantsJson(flags)) {
    host.print(
      `${encodeJson(
        all.map((each) => whole(each, shape, true)),
        true,
      )}\n`,
    );
  } else if (all.length > 0) {
    const style = { meta: flags.isSet('meta'), inList: true };
    host.print(`${all.map((each) => shape.pretty(each, style)).join(between)}\n`);
  }
  return 0;
}

function whole<T>(object: T, shape: Shape<T>, inList: boolean): unknown {
  return shape.whole === undefined ? object : shape.whole(object, inList);
}
