import { type Command, columns, explained } from '../command.ts';

interface Usage {
  readonly Nodes: number;
  readonly Services: number;
  readonly ServiceInstances: number;
  readonly BillableServiceInstances: number;
  readonly ConnectServiceInstances: Readonly<Record<string, number>>;
}

export const command: Command = {
  synopsis: '[options]',
  examples: ['', '-only-connect'],
  http: 'query',
  flags: new Map([
    ['all-datacenters', { kind: 'bool', help: 'Of all data centres; there is one.' }],
    ['only-billable', { kind: 'bool', help: 'Without the kinds of the mesh.' }],
    ['only-connect', { kind: 'bool', help: 'The kinds of the mesh alone.' }],
  ]),

  async run({ flags, host, client, misuse }) {
    const [billable, connect] = [flags.isSet('only-billable'), flags.isSet('only-connect')];
    if (billable && connect) throw misuse('Cannot specify both -only-billable and -only-connect');
    const query = flags.isSet('all-datacenters') ? [['global', ''] as const] : [];
    const answer = await explained(
      'Error fetching usage information',
      client().send({ method: 'GET', path: '/v1/operator/usage', query }),
    );
    const all = Object.entries((answer.json as { Usage: Record<string, Usage> }).Usage);
    if (!connect) host.print(billableOf(all));
    if (!billable) host.print(connectOf(all));
    return 0;
  },
};

type All = readonly (readonly [datacenter: string, usage: Usage])[];

function billableOf(all: All): string {
  const total = all.reduce((sum, [, usage]) => sum + usage.BillableServiceInstances, 0);
  return [
    `Billable Service Instances Total: ${total}\n`,
    ...all.map(
      ([dc, usage]) => `${dc} Billable Service Instances: ${usage.BillableServiceInstances}\n`,
    ),
    '\nServices\n',
    columns([
      ['Datacenter', 'Services', 'Service instances', 'Nodes'],
      ...all.map(([dc, { Services, ServiceInstances, Nodes }]) => [
        dc,
        ...[Services, ServiceInstances, Nodes].map(String),
      ]),
    ]),
    '\n',
  ].join('');
}

function connectOf(all: All): string {
  const rows = all.flatMap(([dc, { ConnectServiceInstances: kinds }]) =>
    Object.entries(kinds).map(([kind, count]) => [dc, kind, String(count)]),
  );
  return `Connect Services\n${columns([['Datacenter', 'Type', 'Service instances'], ...rows])}`;
}
