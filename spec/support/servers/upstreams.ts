import type { RequestListener } from 'node:http';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { Upstream } from '../../../agent/servers/upstream.ts';
import type { ServerInfo } from '../../../lib/membership.ts';
import type { ClientSide } from '../../../lib/tls/identities.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { serveHttp } from './http-servers.ts';

const running: { stop(): void }[] = [];

afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

/** Stops it with the spec. */
export function stopped<T extends { stop(): void }>(each: T): T {
  running.push(each);
  return each;
}

export function serverInfo(ID: string, host: string): ServerInfo {
  return { ID, Node: ID, Datacenter: 'dc1', Url: `http://${host}` };
}

const CLEAR: ClientSide = {
  options: undefined,
  isRequired: false,
  verifies: false,
  verifiesName: false,
};

/** As where nothing is said of TLS. */
export const noTls = () => CLEAR;

/** A way to servers that the listeners make: s0, s1, … */
export async function upstreamTo(...listeners: readonly RequestListener[]) {
  const security = { tls: noTls, domain: 'consul.' };
  const clock = new FakeClock();
  const servers = new ServerList(clock, seededRandom(5));
  const started = await Promise.all(listeners.map((listener) => serveHttp(listener)));
  servers.add(started.map(({ host }, i) => serverInfo(`s${i}`, host)));
  const upstream = stopped(new Upstream({ servers, clock, node: 'n1', security }));
  return { clock, servers, upstream, started };
}

/** Answers every request with what `body` gives. */
export function json(body: () => unknown, status = 200): RequestListener {
  return (request, response) => {
    request.resume();
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/json');
    // In one piece, so that it says how long it is: as servers do.
    response.end(JSON.stringify(body()));
  };
}
