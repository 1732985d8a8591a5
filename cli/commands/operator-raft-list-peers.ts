import { type Command, explained } from '../command.ts';
import { table } from '../table.ts';

interface RaftConfiguration {
  readonly Servers: readonly {
    readonly ID: string;
    readonly Node: string;
    readonly Address: string;
    readonly Leader: boolean;
    readonly Voter: boolean;
    readonly ProtocolVersion: string;
  }[];
}

export const command: Command = {
  synopsis: '[options]',
  details: 'There is no Raft here: every server has the whole log.',
  examples: [''],
  http: 'query',
  flags: new Map(),

  async run({ host, client }) {
    const answer = await explained(
      'Error getting peers',
      client().send({ method: 'GET', path: '/v1/operator/raft/configuration' }),
    );
    const rows = (answer.json as RaftConfiguration).Servers.map((server) => [
      server.Node,
      server.ID,
      server.Address,
      server.Leader ? 'leader' : 'follower',
      String(server.Voter),
      server.ProtocolVersion,
    ]);
    host.print(
      table(host.terminal, [['Node', 'ID', 'Address', 'State', 'Voter', 'RaftProtocol'], ...rows]),
    );
    return 0;
  },
};
