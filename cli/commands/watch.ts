import { once } from 'node:events';
import { childFault, startChild } from '../../lib/child.ts';
import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { followPlan } from '../../lib/follow-plan.ts';
import { encodeJson } from '../../lib/json.ts';
import { type WatchPlan, watchPlan } from '../../lib/watch-plan.ts';
import type { ApiAnswer, ApiClient } from '../api-client.ts';
import { type Command, explained, type Invocation } from '../command.ts';

/** All flags but these say what is watched. */
const PARAMS = ['key', 'name', 'passingonly', 'prefix', 'service', 'state', 'tag'];

export const command: Command = {
  synopsis: '[options] [child...]',
  details:
    'Without a program, shows what there is now; with one, runs it with that on its standard input, now and at each change.',
  examples: [
    '-type=key -key=config/web/limit',
    '-type=service -service=web ./on-change.sh',
    '-type=checks -state=critical ./alert.sh',
  ],
  http: 'query',
  flags: new Map([
    ['key', { kind: 'string', help: 'For the type key.' }],
    ['name', { kind: 'string', help: 'Name of the event, for the type event.' }],
    ['passingonly', { kind: 'bool', help: 'For the type service: only what passes.' }],
    ['prefix', { kind: 'string', help: 'For the type keyprefix.' }],
    ['service', { kind: 'string', help: 'For the types service and checks.' }],
    ['shell', { kind: 'bool', help: 'Run the program by a shell; the default.' }],
    ['state', { kind: 'string', help: 'For the type checks.' }],
    ['tag', { kind: 'strings', help: 'For the type service; may be repeated.' }],
    [
      'type',
      { kind: 'string', help: 'key, keyprefix, services, nodes, service, checks or event.' },
    ],
  ]),

  async run(invocation) {
    const { flags, args, host, client, misuse } = invocation;
    const type = flags.text('type');
    if (type === '') throw misuse('Watch type must be specified');
    const given = PARAMS.filter((name) => flags.has(name));
    const plan = watchPlan(type, { ...flags, given });
    const api = client();
    if (args.length > 0) {
      await follow(invocation, api, plan);
      return 0;
    }
    const answer = await explained('Error querying Consul agent', look(api, plan.path, plan.query));
    host.print(`${encodeJson(plan.view(answer), true)}\n`);
    return 0;
  },
};

function look(api: ApiClient, path: string, query: WatchPlan['query']): Promise<ApiAnswer> {
  return api.send({ method: 'GET', path, query, accept: [404] });
}

/** Runs the child at each change until it fails or the process is told to end. */
async function follow({ flags, args, host }: Invocation, api: ApiClient, plan: WatchPlan) {
  const shell = !flags.has('shell') || flags.isSet('shell');
  await followPlan(plan, {
    clock: systemClock,
    signal: host.signal,
    look: (query) => look(api, plan.path, query),
    failed: (error, waitMs) =>
      host.printError(`Watch failed, tries again in ${waitMs / 1000} s: ${error.message}\n`),
    handle: async (input, index) => {
      const env = { ...host.env, CONSUL_INDEX: index };
      const child = startChild({ words: args, shell, input, env });
      const ended = new AbortController();
      // Rejects once the program has ended by itself, when nobody waits for it any more.
      const told = once(host.signal, 'abort', { signal: ended.signal }).catch(() => undefined);
      const fault = await Promise.race([childFault(child), told.then(() => '')]);
      ended.abort();
      if (host.signal.aborted) {
        // It goes on by itself, as in Consul: whoever ended this one waits for no handler.
        child.stdin?.destroy();
        child.unref();
        return;
      }
      if (fault === '') return;
      throw new ProconsulError('rejected', `Error executing handler: ${fault}`);
    },
  });
}
