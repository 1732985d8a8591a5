import { encodeJson } from '../../lib/json.ts';
import { type Command, columns, explained } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';

interface ServerState {
  readonly Name: string;
  readonly Address: string;
  readonly Version: string;
  readonly Status: string;
  readonly NodeType: string;
  readonly NodeStatus: string;
  readonly Healthy: boolean;
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Meta: Readonly<Record<string, string>>;
}

interface AutopilotState {
  readonly Healthy: boolean;
  readonly FailureTolerance: number;
  readonly OptimisticFailureTolerance: number;
  readonly Leader: string;
  readonly Voters: readonly string[];
  readonly Servers: Readonly<Record<string, ServerState>>;
}

export const command: Command = {
  synopsis: '[options]',
  details: 'Whether each server keeps up, by what autopilot was told.',
  examples: ['', '-format=json'],
  http: 'query',
  flags: new Map([FORMAT]),

  async run({ flags, host, client }) {
    const asJson = wantsJson(flags);
    const answer = await explained(
      'Error querying Autopilot state',
      client().send({ method: 'GET', path: '/v1/operator/autopilot/state' }),
    );
    const json = () => `${encodeJson(answer.json, true)}\n`;
    host.print(asJson ? json() : pretty(answer.json as AutopilotState));
    return 0;
  },
};

function pretty(state: AutopilotState): string {
  const servers = Object.entries(state.Servers).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    columns(
      [
        ['Healthy:', String(state.Healthy)],
        ['Failure Tolerance:', String(state.FailureTolerance)],
        ['Optimistic Failure Tolerance:', String(state.OptimisticFailureTolerance)],
        ['Leader:', state.Leader],
      ],
      1,
    ),
    'Voters:\n',
    ...state.Voters.map((id) => `   ${id}\n`),
    'Servers:\n',
    ...servers.map(([id, server]) => `   ${id}\n${indented(6, figures(server))}`),
  ].join('');
}

function figures(server: ServerState): string {
  const rows = [
    ['Name:', server.Name],
    ['Address:', server.Address],
    ['Version:', server.Version],
    ['Status:', server.Status],
    ['Node Type:', server.NodeType],
    ['Node Status:', server.NodeStatus],
    ['Healthy:', String(server.Healthy)],
    ['Last Contact:', server.LastContact],
    ['Last Term:', String(server.LastTerm)],
    ['Last Index:', String(server.LastIndex)],
  ];
  const meta = Object.entries(server.Meta).map(([key, value]) => [JSON.stringify(key), '=', value]);
  return columns(rows, 1) + (meta.length === 0 ? '' : `Meta\n${indented(3, columns(meta, 1))}`);
}

function indented(by: number, text: string): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
