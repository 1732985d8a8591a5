import { pause, systemClock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { REMOTE_EXEC } from '../../lib/events.ts';
import { type ApiClient, encodePath } from '../api-client.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import { FILTER_FLAGS, fireEvent, refuseBadFilters } from '../event-filters.ts';
import { ExecResults } from '../exec-results.ts';
import { durationFlag } from '../flag-values.ts';
import { type Contended, LockSession, type Look, waitingFrom } from '../lock-session.ts';
import type { KvPair } from './kv-get.ts';

const SOMEONE_FAILED = 2;

export const command: Command = {
  synopsis: '[options] [-|command...]',
  details:
    'Agents that allow it (disable_remote_exec = false) run the command, or the script on the standard input where it is "-". It exits with 2 where one of them failed.',
  examples: ['uptime', '-service=web -wait=10s ./restart.sh', '-node=^db- - <script.sh'],
  http: 'query',
  flags: new Map([
    ...FILTER_FLAGS,
    ['prefix', { kind: 'string', help: 'Where in the KV store it is agreed (_rexec by default).' }],
    ['shell', { kind: 'bool', help: 'Run the command by a shell (the default).' }],
    ['verbose', { kind: 'bool', help: 'Say each step.' }],
    [
      'wait',
      { kind: 'string', help: 'How long to wait where nobody says anything (2s by default).' },
    ],
    [
      'wait-repl',
      { kind: 'string', help: 'How long to wait before the agents are told (0s by default).' },
    ],
  ]),

  async run(invocation) {
    const { flags, args, host, client, misuse } = invocation;
    if (args.length === 0) throw misuse('Must specify a command to execute');
    refuseBadFilters(flags);
    const [waitMs, waitReplMs] = [
      durationFlag(flags, 'wait', '2s'),
      durationFlag(flags, 'wait-repl', '0s'),
    ];
    const prefix = flags.text('prefix') || REMOTE_EXEC;
    const spec = await specOf(invocation, waitMs);
    const session = new LockSession({
      sessionName: 'Remote Exec',
      monitorRetries: 3,
      clock: systemClock,
      client,
      signal: host.signal,
    });
    const job = new Job(session, prefix, spec);
    try {
      const begun = session.acquire(0, { Behavior: 'delete' }, job);
      if (!(await explained('Failed to begin remote execution', begun))) return 1;
      const say = sayer(invocation);
      say(`Created remote execution session: ${session.id}`);
      say('Uploaded remote execution spec');
      await pause(systemClock, waitReplMs, host.signal);
      const id = await explained(
        'Failed to fire event',
        fireEvent(client(), flags, { name: REMOTE_EXEC, body: job.place }),
      );
      say(`Fired remote execution event: ${id}`);
      const isOver = AbortSignal.any([host.signal, session.lost]);
      const results = new ExecResults({ client, folder: job.folder, waitMs, isOver, host });
      const { completed, acknowledged, failed } = await results.show(flags.isSet('verbose'));
      if (session.lost.aborted) throw new ProconsulError('unavailable', 'The session was lost');
      host.print(`${completed} / ${acknowledged} node(s) completed / acknowledged\n`);
      say(`Completed in ${(results.tookMs / 1000).toFixed(2)} seconds`);
      if (host.signal.aborted) return 1;
      return failed || completed < acknowledged ? SOMEONE_FAILED : 0;
    } finally {
      await job.remove();
    }
  },
};

/** The key that says what to run: held by the session, it goes with it, and so does all beneath. */
class Job implements Contended {
  readonly #session: LockSession;
  readonly #prefix: string;
  readonly #spec: string;

  constructor(session: LockSession, prefix: string, spec: string) {
    this.#session = session;
    this.#prefix = prefix;
    this.#spec = spec;
  }

  get folder(): string {
    return `${encodePath(this.#prefix)}/${this.#session.id}`;
  }

  /** What the event says of it. */
  get place(): string {
    return JSON.stringify({ Prefix: this.#prefix, Session: this.#session.id });
  }

  async contend(api: ApiClient): Promise<boolean> {
    const query = [['acquire', this.#session.id] as const];
    const path = `/v1/kv/${this.folder}/job`;
    const answer = await explained(
      'Failed to create job file',
      api.send({ method: 'PUT', path, query, body: this.#spec }),
    );
    if (answer.json === true) return true;
    throw new ProconsulError('rejected', 'Failed to create job file: the session does not hold it');
  }

  async look(api: ApiClient, index: string): Promise<Look> {
    const path = `/v1/kv/${this.folder}/job`;
    const answer = await api.send({
      method: 'GET',
      path,
      query: waitingFrom(index),
      accept: [404],
    });
    const [pair] = answer.status === 404 ? [] : (answer.json as readonly KvPair[]);
    return { holds: pair?.Session === this.#session.id, index: answer.index };
  }

  /** A program that runs yet hears of it, and is ended. */
  async remove(): Promise<void> {
    const api = await this.#session.close();
    if (api === undefined) return;
    await this.#session.destroy(api);
    const recurse = [['recurse', ''] as const];
    await api.send({ method: 'DELETE', path: `/v1/kv/${this.folder}/`, query: recurse });
  }
}

async function specOf({ flags, args, host }: Invocation, waitMs: number): Promise<string> {
  const Wait = Math.round(waitMs * NS_PER_MS);
  if (args.length === 1 && args[0] === '-') {
    return JSON.stringify({ Script: (await host.readStdin()).toString('base64'), Wait });
  }
  const byShell = !flags.has('shell') || flags.isSet('shell');
  return JSON.stringify(byShell ? { Command: args.join(' '), Wait } : { Args: args, Wait });
}

function sayer({ flags, host }: Invocation): (text: string) => void {
  return (text) => {
    if (flags.isSet('verbose')) host.print(`${text}\n`);
  };
}
