/** /debug/pprof: profiles of this process, where Go has its own. */

import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import type { OwnContext, RegistrationContext } from '../context.ts';
import { MAX_PROFILE_SECONDS, Profiles, type Span } from '../profiles.ts';

type Context = Pick<OwnContext, 'config'> & Pick<RegistrationContext, 'clock'>;

/** How a profile is taken, and what it is called as a file. */
interface Profile {
  readonly file: string;
  readonly seconds: number;
  readonly says: string;
  readonly take: (profiles: Profiles, span: Span) => Promise<string>;
}

/** By Go's names for what comes closest to it. */
const PROFILES: ReadonlyMap<string, Profile> = new Map<string, Profile>([
  [
    'profile',
    {
      file: 'profile.cpuprofile',
      seconds: 30,
      says: 'where processor time goes (the Performance tab of a browser)',
      take: (profiles, span) => profiles.cpu(span),
    },
  ],
  [
    'heap',
    {
      file: 'heap.heapprofile',
      seconds: 1,
      says: 'what is allocated meanwhile and still there (the Memory tab)',
      take: (profiles, span) => profiles.heap(span, false),
    },
  ],
  [
    'allocs',
    {
      file: 'allocs.heapprofile',
      seconds: 1,
      says: 'what is allocated meanwhile, gone or not (the Memory tab)',
      take: (profiles, span) => profiles.heap(span, true),
    },
  ],
  [
    'trace',
    {
      file: 'trace.json',
      seconds: 1,
      says: 'what the runtime does, in order (Perfetto)',
      take: (profiles, span) => profiles.trace(span),
    },
  ],
  [
    'goroutine',
    {
      file: 'resources.json',
      seconds: 0,
      says: 'what keeps this process going: sockets, timers, requests by kind',
      take: async () => JSON.stringify(resources()),
    },
  ],
]);

function resources(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export function profileRoutes(agent: Context): readonly Route[] {
  const profiles = new Profiles(agent.clock);
  const right = needs('operator:read');
  const row = (rest: string, does: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path: `/debug/pprof${rest}`,
    right,
    does,
    answers: { 401: 'enable_debug is off' },
    handle: (request) => {
      refuseUnlessEnabled(agent);
      return handle(request);
    },
  });
  return [
    row('', 'leads to the list of profiles', () => MOVED),
    {
      ...row('/', 'profiles of the process: cpu, heap, trace', (request) =>
        profile(profiles, request),
      ),
      rest: 'profile',
      params: { seconds: param.number('for how long it is taken') },
    },
    row('/cmdline', 'the command line, without values', () => ({ text: commandLine() })),
    row('/symbol', 'that it has no symbols to look up', () => ({ text: 'num_symbols: 0\n' })),
    {
      ...row('/heapsnapshot', 'all that is in memory, secrets too', ({ signal }) =>
        download('heap.heapsnapshot', { stream: profiles.heapSnapshot(signal) }),
      ),
      // Whoever reads it has every token.
      right: needs('acl:write'),
    },
  ];
}

const MOVED: Reply = {
  status: 301,
  headers: { Location: '/debug/pprof/', 'Content-Type': 'text/html; charset=utf-8' },
  bytes: Buffer.from('<a href="/debug/pprof/">Moved Permanently</a>.\n\n'),
};

function refuseUnlessEnabled({ config }: Context): void {
  if (config.enableDebug) return;
  throw new ProconsulError('unauthorized', 'debugging is not enabled (enable_debug)');
}

async function profile(profiles: Profiles, { rest, params, signal }: HttpRequest): Promise<Reply> {
  if (rest === '') return { headers: HTML, bytes: Buffer.from(index()) };
  const wanted = PROFILES.get(rest);
  if (wanted === undefined) return { status: 404, text: 'Unknown profile\n' };
  const sent = Number(params.get('seconds'));
  const seconds = Number.isInteger(sent) && sent > 0 ? sent : wanted.seconds;
  if (seconds > MAX_PROFILE_SECONDS) {
    const why = `profile duration exceeds ${MAX_PROFILE_SECONDS} seconds`;
    throw new ProconsulError('invalid', `Bad request: ${why}`);
  }
  const taken = await wanted.take(profiles, { ms: seconds * 1000, signal });
  return download(wanted.file, { bytes: Buffer.from(taken) });
}

function download(file: string, reply: Reply): Reply {
  return {
    ...reply,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename="${file}"`,
      'X-Content-Type-Options': 'nosniff',
    },
  };
}

const HTML = { 'Content-Type': 'text/html; charset=utf-8' };

function index(): string {
  const items = [...PROFILES].map(
    ([name, { seconds, says }]) =>
      `<li><a href="${name}${seconds > 0 ? `?seconds=${seconds}` : ''}">${name}</a>: ${says}</li>`,
  );
  return `<!doctype html><title>/debug/pprof/</title><ul>\n${items.join('\n')}\n</ul>\n`;
}

/** The names of flags alone: what they are set to may be a secret. */
function commandLine(): string {
  const flags = process.argv.slice(2).filter((each) => /^--?[a-z]/.test(each));
  return ['proconsul', ...flags.map((each) => each.split('=', 1)[0])].join('\0');
}
