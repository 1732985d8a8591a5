import { ProconsulError } from '../../lib/errors.ts';
import { NODE_MAINTENANCE, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

interface AgentCheck {
  readonly Node: string;
  readonly CheckID: string;
  readonly ServiceID: string;
  readonly Notes: string;
}

export const command: Command = {
  synopsis: '[options]',
  details: 'With -service one of its services, else the node. Without flags, shows what is out.',
  examples: ['-enable -reason="new disk"', '-enable -service=web-1', '-disable'],
  http: 'agent',
  flags: new Map([
    ['disable', { kind: 'bool', help: 'Bring it back.' }],
    ['enable', { kind: 'bool', help: 'Take it out.' }],
    ['node', { kind: 'string', help: 'The node that is meant: the agent of any other refuses.' }],
    ['reason', { kind: 'string', help: 'Why; shown to whoever asks.' }],
    ['service', { kind: 'string', help: 'The ID of the service that is meant.' }],
  ]),

  async run(invocation) {
    const { flags } = invocation;
    refuseContradiction(flags);
    if (!flags.isSet('enable') && !flags.isSet('disable')) return await list(invocation);
    return await change(invocation);
  },
};

function refuseContradiction(flags: FlagValues): void {
  const refuse = (why: string) => new ProconsulError('invalid', why);
  const [enable, disable] = [flags.isSet('enable'), flags.isSet('disable')];
  if (enable && disable) throw refuse('Only one of -enable or -disable may be provided');
  if (!enable && flags.text('reason') !== '') {
    throw refuse('Reason may only be provided with -enable');
  }
  if (!enable && !disable && flags.text('service') !== '') {
    throw refuse('Service requires either -enable or -disable');
  }
}

async function list({ host, client }: Invocation): Promise<number> {
  const answer = await explained(
    'Error getting checks',
    client().send({ method: 'GET', path: '/v1/agent/checks' }),
  );
  for (const check of Object.values(answer.json as Readonly<Record<string, AgentCheck>>)) {
    const { Node, CheckID, ServiceID, Notes } = check;
    if (CheckID === NODE_MAINTENANCE) {
      host.print(`Node:\n  Name:   ${Node}\n  Reason: ${Notes}\n\n`);
    } else if (CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX)) {
      host.print(`Service:\n  ID:     ${ServiceID}\n  Reason: ${Notes}\n\n`);
    }
  }
  return 0;
}

async function change({ flags, host, client }: Invocation): Promise<number> {
  const enable = flags.isSet('enable');
  const service = flags.text('service');
  const reason = flags.text('reason');
  const what = service === '' ? 'node' : 'service';
  const ofService = `/v1/agent/service/maintenance/${encodeURIComponent(service)}`;
  const path = service === '' ? '/v1/agent/maintenance' : ofService;
  await explained(
    `Error ${enable ? 'enabling' : 'disabling'} ${what} maintenance`,
    client().send({
      method: 'PUT',
      path,
      query: [
        ['enable', String(enable)],
        ['node', flags.text('node')],
        ['reason', reason],
      ],
    }),
  );
  const done = `maintenance is now ${enable ? 'enabled' : 'disabled'}`;
  host.print(
    service === '' ? `Node ${done}\n` : `Service ${done} for ${JSON.stringify(service)}\n`,
  );
  return 0;
}
