/** A target of notices, and a server that leads and tells it. */
import type { NotifyTarget } from '../../../lib/config/keys/notify.ts';
import type { RecordingLogger } from '../fakes/recording-logger.ts';
import { until } from '../until.ts';
import { serveHttp } from './http-servers.ts';
import { startServer } from './start-server.ts';

interface Told {
  readonly Service: string;
  readonly From: string;
  readonly To: string;
  readonly Changes: number;
  readonly Passing: number;
  readonly Failing: readonly { readonly Output: string }[];
}

/** Takes what it is told, or answers with `status` while that is not 200. */
export async function chat() {
  const bodies: string[] = [];
  const paths: string[] = [];
  /** `refuses`: whatever names this service. `lost` and `held`: it takes a notice, and no answer comes. */
  const answer = { status: 200, silent: false, refuses: '', lost: false, held: false };
  const { port } = await serveHttp((message, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      if (answer.silent) return;
      paths.push(message.url ?? '');
      const body = Buffer.concat(parts).toString();
      const status = statusFor(body, answer);
      if (status === 200) bodies.push(body);
      if (answer.held) return;
      if (answer.lost) message.socket.destroy();
      response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end();
    });
  });
  const notices = () =>
    bodies.flatMap((body) => (JSON.parse(body) as { Notices: readonly Told[] }).Notices);
  return { url: `http://127.0.0.1:${port}/secret-path`, bodies, paths, answer, notices };
}

function statusFor(
  body: string,
  of: { readonly status: number; readonly refuses: string },
): number {
  return of.refuses !== '' && body.includes(`"${of.refuses}"`) ? 400 : of.status;
}

export function target(url: string, over: Partial<NotifyTarget> = {}): NotifyTarget {
  return {
    name: 'ops',
    services: ['*'],
    on: ['critical', 'warning', 'passing', 'gone'],
    debounceMs: 2000,
    timeoutMs: 5000,
    way: { kind: 'webhook', url, headers: {}, skipVerify: false },
    ...over,
  };
}

export const way = (kind: 'slack' | 'alertmanager', url: string) =>
  ({ way: { kind, url, headers: {}, skipVerify: false } }) as const;

export const web = (status: string, node = 'n2') => ({
  Node: node,
  Address: '10.0.0.2',
  Service: { ID: 'web', Service: 'web' },
  Check: { CheckID: 'c', Name: 'c', Status: status, ServiceID: 'web', Output: `is ${status}\nx` },
});

export async function startTelling(logger?: RecordingLogger) {
  const server = await startServer(logger);
  const { put, clock } = server;
  const set = (status: string, node?: string) => put('/v1/catalog/register', web(status, node));
  const gone = (node = 'n2') => put('/v1/catalog/deregister', { Node: node, ServiceID: 'web' });
  /** Until the log says that the target knows the service so. */
  const knows = async (status: string | undefined, name = 'ops') => {
    await until(
      async () => {
        await clock.advance(500);
        const row = [...server.server.state.told.values()].find(
          ({ Target, Service }) => Target === name && Service === 'web',
        );
        return row?.Status === status;
      },
      () => JSON.stringify([...server.server.state.told.values()]),
    );
  };
  return { ...server, set, gone, knows };
}
