import { ProconsulError } from '../../lib/errors.ts';
import { legacyRules, translated } from '../acl/legacy-rules.ts';
import { type Command, explained, readInput } from '../command.ts';

export const command: Command = {
  synopsis: '[options] TRANSLATE',
  details: 'TRANSLATE is the rules, @FILE, - for stdin, or a legacy token if a flag says so.',
  examples: ['@rules.hcl', '-', '-token-accessor 429cd746-03d5-4bbb-a83a-18b164171c89'],
  http: 'query',
  flags: new Map([
    ['token-accessor', { kind: 'bool', help: 'TRANSLATE is the AccessorID of a legacy token.' }],
    ['token-secret', { kind: 'bool', help: 'TRANSLATE is the SecretID of a legacy token.' }],
  ]),

  async run({ flags, args, host, client }) {
    const [argument] = args;
    const bySecret = flags.isSet('token-secret');
    const byAccessor = flags.isSet('token-accessor');
    if (bySecret && byAccessor) {
      const why = 'Error - cannot specify both -token-secret and -token-accessor';
      throw new ProconsulError('invalid', why);
    }
    if (argument === undefined) {
      throw new ProconsulError('invalid', 'Error! Missing TRANSLATE argument');
    }
    if (args.length > 1) {
      const why = `Error! Too many arguments: expected 1 got ${args.length}`;
      throw new ProconsulError('invalid', why);
    }
    const text = (await readInput(argument, host)).toString();
    const api = client();
    const rules =
      bySecret || byAccessor
        ? await legacyRules(api, text.trim(), bySecret)
        : await explained('Error translating rules', translated(api, text));
    host.print(`${rules}\n`);
    return 0;
  },
};
