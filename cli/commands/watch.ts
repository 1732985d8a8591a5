import { pause, systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { ApiAnswer, ApiClient } from '../api-client.ts';
import { childFault, startChild } from '../child.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import { type WatchPlan, watchPlan } from '../watch-plan.ts';

/** After the first failure; each further one waits longer, up to the limit. */
const RETRY_MS = 5000;
const MAX_RETRY_MS = 180_000;

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
    const plan = watchPlan(type, flags);
    const api = client();
    if (args.length > 0) return await follow(invocation, api, plan);
    const answer = await explained('Error querying Consul agent', look(api, plan, '0'));
    host.print(`${encodeJson(plan.view(answer), true)}\n`);
    return 0;
  },
};

function look(api: ApiClient, { path, query }: WatchPlan, index: string): Promise<ApiAnswer> {
  const since = index === '0' ? [] : [['index', index] as const];
  return api.send({ method: 'GET', path, query: [...query, ...since], accept: [404] });
}

/** Runs the child at each new index until it fails or the process is told to end. */
async function follow(
  { flags, args, host }: Invocation,
  api: ApiClient,
  plan: WatchPlan,
): Promise<number> {
  const shell = !flags.has('shell') || flags.isSet('shell');
  let index = '0';
  let failures = 0;
  while (!host.signal.aborted) {
    const answer = await attempt(look(api, plan, index));
    if (host.signal.aborted) break;
    if (answer instanceof ProconsulError) {
      const waitMs = Math.min(RETRY_MS * (++failures) ** 2, MAX_RETRY_MS);
      host.printError(`Watch failed, tries again in ${waitMs / 1000} s: ${answer.message}\n`);
      await pause(systemClock, waitMs, host.signal);
      continue;
    }
    failures = 0;
    if (answer.index === index) continue;
    // An index that goes back is another history: the next look starts afresh.
    index = BigInt(answer.index || 0) < BigInt(index) ? '0' : answer.index || '0';
    const input = `${encodeJson(plan.view(answer))}\n`;
    const env = { CONSUL_INDEX: answer.index };
    const fault = await childFault(startChild(host, { words: args, shell, input, env }));
    if (fault !== '' && !host.signal.aborted) {
      throw new ProconsulError('rejected', `Error executing handler: ${fault}`);
    }
  }
  return 0;
}

async function attempt(promise: Promise<ApiAnswer>): Promise<ApiAnswer | ProconsulError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ProconsulError) return error;
    throw error;
  }
}
