/** The commands that are alike for every kind of object: `list` and `delete`. */
import { type Command, explained, type Invocation } from '../command.ts';
import { capital, idOf, type Kind, pathOf, requireOne } from './find.ts';
import { checkFormat, type FlagRow, SHOW, type Shape, showList } from './show.ts';

type QueryParams = readonly (readonly [string, string])[];

interface Listing<T> {
  readonly kind: Kind;
  readonly shape: Shape<T>;
  readonly details?: string;
  /** Stands between two of them. */
  readonly between?: string;
  /** A flag that narrows the list, and the parameter that it comes to. */
  readonly narrowing?: { readonly flag: FlagRow; readonly parameter: string };
}

export function listCommand<T>(listing: Listing<T>): Command {
  const { kind, shape, details, between, narrowing } = listing;
  return {
    synopsis: '[options]',
    ...(details === undefined ? {} : { details }),
    examples: ['', '-format=json'],
    http: 'query',
    flags: new Map([...(narrowing === undefined ? [] : [narrowing.flag]), ...SHOW]),
    async run(invocation) {
      checkFormat(invocation);
      const answer = await explained(
        `Failed to retrieve the ${kind.noun} list`,
        invocation
          .client()
          .send({ method: 'GET', path: kind.list, query: narrowed(invocation, listing) }),
      );
      return showList(invocation, answer.json as readonly T[] | null, shape, between);
    },
  };
}

function narrowed<T>({ flags }: Invocation, { narrowing }: Listing<T>): QueryParams {
  const value = narrowing === undefined ? '' : flags.text(narrowing.flag[0]);
  return narrowing === undefined || value === '' ? [] : [[narrowing.parameter, value]];
}

interface Removal {
  readonly kind: Kind;
  /** -id, and -name where the kind has names. */
  readonly flags: readonly FlagRow[];
  readonly complaint: string;
}

export function deleteCommand({ kind, flags, complaint }: Removal): Command {
  const names = flags.map(([name]) => name);
  return {
    synopsis: '[options]',
    examples: names.map((name) => `-${name}=${name === 'id' ? 'b6b85' : 'mine'}`),
    http: 'query',
    flags: new Map(flags),
    async run(invocation) {
      requireOne(invocation, names, complaint);
      const api = invocation.client();
      const id = await idOf(invocation, api, kind);
      await explained(
        `Error deleting ${kind.noun} "${id}"`,
        api.send({ method: 'DELETE', path: pathOf(kind, id) }),
      );
      invocation.host.print(`${capital(kind)} "${id}" deleted successfully\n`);
      return 0;
    },
  };
}
