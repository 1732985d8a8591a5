import { RE2JS } from 're2js';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';
import { table } from '../table.ts';

interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Status: number;
  readonly Tags: Readonly<Record<string, string>>;
}

/** By Serf's numbers. */
const STATUSES = ['none', 'alive', 'leaving', 'left', 'failed'];
/** To find nobody is an exit code of its own. */
const NOBODY = 2;

export const command: Command = {
  synopsis: '[options]',
  details: 'Those that this agent knows of.',
  examples: ['', '-detailed', '-status=failed'],
  http: 'agent',
  flags: new Map([
    ['detailed', { kind: 'bool', help: 'Show all tags.' }],
    ['segment', { kind: 'string', help: 'Has no effect.' }],
    ['status', { kind: 'string', help: 'Only those whose status matches this pattern.' }],
    ['wan', { kind: 'bool', help: 'Servers of all datacenters.' }],
  ]),

  async run({ flags, host, client }) {
    const isWanted = statusFilter(flags.has('status') ? flags.text('status') : '.*');
    const query = flags.isSet('wan') ? [['wan', '1'] as const] : [];
    const answer = await explained(
      'Error retrieving members',
      client().send({ method: 'GET', path: '/v1/agent/members', query }),
    );
    const found = (answer.json as readonly Member[])
      .filter(({ Status }) => isWanted(STATUSES[Status] ?? ''))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1));
    if (found.length === 0) return NOBODY;
    host.print(table(host.terminal, flags.isSet('detailed') ? detailed(found) : plain(found)));
    return 0;
  },
};

function statusFilter(pattern: string): (status: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (status) => compiled.matcher(status).find();
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `Failed to compile status regexp: ${why}`, { cause });
  }
}

function plain(found: readonly Member[]): readonly (readonly string[])[] {
  const header = ['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Segment'];
  return [header, ...found.map((member) => [...start(member), ...columnsOf(member.Tags)])];
}

function columnsOf(tags: Member['Tags']): readonly string[] {
  const [build = ''] = (tags['build'] ?? '').split(':');
  const { type, segment } = kindOf(tags);
  return [type, build, tags['vsn'] ?? '', tags['dc'] ?? '', segment];
}

function kindOf(tags: Member['Tags']): { readonly type: string; readonly segment: string } {
  if (tags['role'] === 'consul') return { type: 'server', segment: '<all>' };
  const type = tags['role'] === 'node' ? 'client' : 'unknown';
  return { type, segment: tags['segment'] || '<default>' };
}

function detailed(found: readonly Member[]): readonly (readonly string[])[] {
  const rows = found.map((member) => {
    const shown = { ...member.Tags, segment: kindOf(member.Tags).segment };
    const tags = Object.entries(shown).map(([key, value]) => `${key}=${value}`);
    return [...start(member), tags.sort().join(',')];
  });
  return [['Node', 'Address', 'Status', 'Tags'], ...rows];
}

function start({ Name, Addr, Port, Status }: Member): readonly string[] {
  const host = Addr.includes(':') ? `[${Addr}]` : Addr;
  return [Name, `${host}:${Port}`, STATUSES[Status] ?? ''];
}
