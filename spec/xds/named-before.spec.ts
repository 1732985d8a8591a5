/** What an Envoy is told when it has named things before they are there: nothing comes before what it leads to. */
import assert from 'node:assert/strict';
import { type Kind, TYPE_URLS } from '../../xds/resource.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { ADS, type Told, XdsClient, type XdsStream } from '../support/servers/xds-clients.ts';
import { chainTo, DOMAIN, NODE, registered, startMesh } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const clusterOf = (service: string) => `${service}.default.dc1.internal.${DOMAIN}`;
const upstreamTo = (DestinationName: string, LocalBindPort: number) => ({
  DestinationName,
  LocalBindPort,
});
const DB = upstreamTo('db', 9191);
const API = upstreamTo('api', 9192);
/** More than is begun in one turn of the loop. */
const ABSENT = Array.from({ length: 500 }, (_, i) => `none-${i}`);

const NAMED: Readonly<Record<Kind, readonly string[]>> = {
  clusters: [],
  endpoints: [...ABSENT, ...['api', 'other', 'db'].map(clusterOf)],
  listeners: [],
  routes: [...ABSENT, 'api', 'db'],
};

interface Form {
  readonly method: string;
  readonly ask: (stream: XdsStream, kind: Kind) => void;
  /** Names what has gone no more, and then once more. */
  readonly again: (stream: XdsStream) => void;
  /** The names that are there by an answer. */
  readonly names: (told: Told) => readonly string[];
}

const nameIn = (each: { readonly cluster_name?: string; readonly name?: string }) =>
  each.cluster_name ?? each.name ?? '';

const WHOLE: Form = {
  method: 'StreamAggregatedResources',
  ask: (stream, kind) => stream.subscribe(NAMED[kind], { node: NODE }, kind),
  again: (stream) => {
    for (const kind of ['endpoints', 'routes'] as const) {
      stream.subscribe([], {}, kind);
      stream.subscribe(NAMED[kind], {}, kind);
    }
  },
  names: ({ resources }) => resources.map(nameIn),
};

const DELTA: Form = {
  method: 'DeltaAggregatedResources',
  ask: (stream, kind) => {
    const [type_url, resource_names_subscribe] = [TYPE_URLS[kind], NAMED[kind]];
    stream.send({ node: NODE, type_url, resource_names_subscribe });
  },
  again: () => undefined,
  names: ({ resources }) => resources.map(({ resource }) => nameIn(resource)),
};

async function start({ method, ask, names }: Form) {
  const { xds } = await startMesh(registered({}, [DB]));
  const { agent } = xds;
  for (const name of ['db', 'api', 'other']) {
    agent.say(`/v1/discovery-chain/${name}`, chainTo(name, 'http'));
    agent.sayInstances(name, [instance(name)], 'health/connect');
  }
  const stream = new XdsClient(xds.port).stream(ADS, method);
  const isTold = (kind: Kind, name: string, from = 0) => firstOf(kind, name, from) >= 0;
  /** Which answer told it first. */
  const firstOf = (kind: Kind, name: string, from = 0) =>
    stream.told.findIndex(
      (each, i) => i >= from && each.type_url === TYPE_URLS[kind] && names(each).includes(name),
    );
  for (const kind of ['clusters', 'endpoints', 'listeners', 'routes'] as const) ask(stream, kind);
  await until(
    () =>
      isTold('clusters', clusterOf('db')) &&
      isTold('endpoints', clusterOf('db')) &&
      isTold('listeners', 'db:127.0.0.1:9191') &&
      isTold('routes', 'db'),
  );
  assert.ok(!isTold('endpoints', clusterOf('api')) && !isTold('routes', 'api'));
  return { agent, stream, isTold, firstOf };
}

for (const [title, form] of [
  ['the state of the world', WHOLE],
  ['what has changed', DELTA],
] as const) {
  describe(`an Envoy that names things before they are there, told ${title}`, function () {
    // The machine may be busy.
    this.timeout(60_000);

    it('has a cluster before its endpoints and before what leads there, once an upstream is added', async () => {
      const { agent, isTold, firstOf } = await start(form);
      agent.say('/v1/agent/service/web-proxy', registered({}, [DB, API]));
      await until(() => isTold('routes', 'api') && isTold('endpoints', clusterOf('api')));
      const cluster = firstOf('clusters', clusterOf('api'));
      const listener = firstOf('listeners', 'api:127.0.0.1:9192');
      assert.ok(cluster >= 0 && cluster < firstOf('endpoints', clusterOf('api')));
      assert.ok(cluster < listener && listener < firstOf('routes', 'api'));
    });

    it('has another cluster before the routes that lead there instead', async () => {
      const { agent, stream, isTold, firstOf } = await start(form);
      const from = stream.told.length;
      agent.say('/v1/discovery-chain/db', chainTo('other', 'http'));
      await until(() => isTold('routes', 'db', from));
      const cluster = firstOf('clusters', clusterOf('other'), from);
      assert.ok(cluster >= 0 && cluster < firstOf('routes', 'db', from));
      await until(() => isTold('endpoints', clusterOf('other'), from));
    });

    it('is told that all of it is gone once an upstream is, and of all of it when that comes again', async () => {
      const { agent, stream, isTold } = await start(form);
      const say = (upstreams: readonly object[]) =>
        agent.say('/v1/agent/service/web-proxy', registered({}, upstreams));
      say([DB, API]);
      await until(() => isTold('routes', 'api') && isTold('endpoints', clusterOf('api')));
      const [gone, isDelta] = [stream.told.length, form === DELTA];
      say([DB]);
      const told = (kind: Kind) =>
        stream.told.slice(gone).filter(({ type_url }) => type_url === TYPE_URLS[kind]);
      const isGone = (kind: Kind, name: string) =>
        isDelta
          ? told(kind).some(({ removed_resources }) => removed_resources.includes(name))
          : told(kind).some((each) => !form.names(each).includes(name));
      await until(
        () =>
          isGone('clusters', clusterOf('api')) &&
          isGone('listeners', 'api:127.0.0.1:9192') &&
          // Of what is named alone this form does not say that it is gone.
          (!isDelta || (isGone('endpoints', clusterOf('api')) && isGone('routes', 'api'))),
      );
      const again = stream.told.length;
      form.again(stream);
      say([DB, API]);
      await until(
        () =>
          isTold('clusters', clusterOf('api'), again) &&
          isTold('endpoints', clusterOf('api'), again) &&
          isTold('listeners', 'api:127.0.0.1:9192', again) &&
          isTold('routes', 'api', again),
        () => JSON.stringify(stream.told.slice(again)),
      );
    });
  });
}
