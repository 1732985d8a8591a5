import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';

/** What each is to the agent, and in which of its slots it stands. */
const SLOTS: ReadonlyMap<string, string> = new Map([
  ['default', 'default'],
  ['agent', 'agent'],
  ['master', 'agent_master'],
  ['recovery', 'agent_recovery'],
  ['replication', 'replication'],
]);

export const command: Command = {
  synopsis: '[options] TYPE TOKEN',
  details:
    'TYPE is default (whoever asks without a token asks with this one), agent (what the agent itself does), master (the agent answers to it when no server can be reached) or replication. It is kept over a restart if acl.enable_token_persistence is set.',
  examples: ['default c4d0f8df-3aba-4ab6-a7a0-35b760dc29a1'],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    const [type, token] = args;
    if (type === undefined) throw missing('TYPE and TOKEN arguments');
    if (token === undefined) throw missing('TOKEN argument');
    if (args.length > 2) {
      const why = `Error! Too many arguments: expected 2 got ${args.length}`;
      throw new ProconsulError('invalid', why);
    }
    const slot = SLOTS.get(type);
    if (slot === undefined) throw new ProconsulError('invalid', 'Unknown token type');
    await explained(
      `Failed to set ACL token "${type}"`,
      client().send({
        method: 'PUT',
        path: `/v1/agent/token/${slot}`,
        body: JSON.stringify({ Token: token }),
      }),
    );
    host.print(`ACL token "${type}" set successfully\n`);
    return 0;
  },
};

function missing(what: string): ProconsulError {
  return new ProconsulError('invalid', `Error! Missing ${what}`);
}
