import { type Command, explained, type Invocation, refuseArguments } from '../command.ts';
import { nodeMetaQuery } from '../flag-values.ts';
import { list } from '../table.ts';

interface NodeAnswer {
  readonly Services: Readonly<
    Record<string, { readonly Service: string; readonly Tags: readonly string[] | null }>
  >;
}

/** Wider than between the columns of other commands, as Consul has it. */
const TAG_GAP = 6;

export const command: Command = {
  synopsis: '[options]',
  details: 'With -node, those of one node.',
  examples: ['', '-tags', '-node=web-1'],
  http: 'query',
  flags: new Map([
    ['node', { kind: 'string', help: 'Only services of this node.' }],
    ['node-meta', { kind: 'strings', help: 'Only on nodes with this key=value; may be repeated.' }],
    ['tags', { kind: 'bool', help: 'Show the tags beside each service.' }],
  ]),

  async run(invocation) {
    const { flags, args, host } = invocation;
    refuseArguments(args);
    const found =
      flags.text('node') === '' ? await everywhere(invocation) : await onNode(invocation);
    if (found.size === 0) {
      host.printError('No services match the given query - try expanding your search.\n');
      return 0;
    }
    const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
    const cells = rows.map(([name, tags]) =>
      flags.isSet('tags') ? [name, [...tags].sort().join(',')] : [name],
    );
    host.print(list(host.terminal, cells, TAG_GAP));
    return 0;
  },
};

type TagsByName = ReadonlyMap<string, readonly string[]>;

async function everywhere({ flags, client }: Invocation): Promise<TagsByName> {
  const answer = await explained(
    'Error listing services',
    client().send({ method: 'GET', path: '/v1/catalog/services', query: nodeMetaQuery(flags) }),
  );
  return new Map(Object.entries(answer.json as Readonly<Record<string, readonly string[]>>));
}

async function onNode({ flags, client }: Invocation): Promise<TagsByName> {
  const path = `/v1/catalog/node/${encodeURIComponent(flags.text('node'))}`;
  const answer = await explained(
    'Error listing services',
    client().send({ method: 'GET', path, accept: [404] }),
  );
  const node = answer.status === 404 ? null : (answer.json as NodeAnswer | null);
  const found = new Map<string, readonly string[]>();
  for (const { Service, Tags } of Object.values(node?.Services ?? {})) {
    found.set(Service, [...(found.get(Service) ?? []), ...(Tags ?? [])]);
  }
  return found;
}
