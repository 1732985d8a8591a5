/** What an Envoy is told when it has named things before they are there: nothing comes before what it leads to. */
import assert from 'node:assert/strict';
import { type Kind, TYPE_URLS } from '../../xds/resource.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import type { FakeClock } from '../support/fakes/fake-clock.ts';
import { TickingClock } from '../support/fakes/ticking-clock.ts';
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
  endpoints: [...ABSENT, ...['api', 'other', 'late', 'db'].map(clusterOf)],
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

const namesOf = ({ type_url }: Told) =>
  NAMED[(Object.keys(NAMED) as Kind[]).find((kind) => TYPE_URLS[kind] === type_url) ?? 'clusters'];

/** Says that it takes all that it was told. */
function takeAll(stream: XdsStream): true {
  for (const told of stream.told) stream.ack(told, namesOf(told));
  return true;
}

async function start({ method, ask, names }: Form, clock?: FakeClock) {
  const { xds } = await startMesh(registered({}, [DB]), true, clock);
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
  /** Whether it was said since that it is there no more. */
  const isGone = (kind: Kind, name: string, from: number) =>
    stream.told
      .slice(from)
      .filter(({ type_url }) => type_url === TYPE_URLS[kind])
      .some((each) =>
        method === DELTA.method
          ? each.removed_resources.includes(name)
          : !names(each).includes(name),
      );
  await until(
    () =>
      isTold('clusters', clusterOf('db')) &&
      isTold('endpoints', clusterOf('db')) &&
      isTold('listeners', 'db:127.0.0.1:9191') &&
      isTold('routes', 'db'),
  );
  assert.ok(!isTold('endpoints', clusterOf('api')) && !isTold('routes', 'api'));
  return { xds, agent, stream, isTold, isGone, firstOf };
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

    it('has them in that order too where one thing is worked out in a turn', async () => {
      // Each look at it says that the turn is over.
      const { agent, isTold, firstOf } = await start(form, new TickingClock(5));
      const more = Array.from({ length: 8 }, (_, i) => upstreamTo(`more-${i}`, 9200 + i));
      agent.say('/v1/agent/service/web-proxy', registered({}, [DB, API, ...more]));
      await until(() => isTold('routes', 'api') && isTold('endpoints', clusterOf('api')));
      const cluster = firstOf('clusters', clusterOf('api'));
      const endpoints = firstOf('endpoints', clusterOf('api'));
      const listener = firstOf('listeners', 'api:127.0.0.1:9192');
      const routes = firstOf('routes', 'api');
      assert.ok(cluster >= 0 && cluster < endpoints && endpoints < routes);
      assert.ok(listener >= 0 && listener < routes);
    });

    it('has another cluster, with its endpoints, before the routes that lead there instead', async () => {
      const { agent, stream, isTold, firstOf } = await start(form);
      const from = stream.told.length;
      agent.say('/v1/discovery-chain/db', chainTo('other', 'http'));
      await until(() => isTold('routes', 'db', from));
      const cluster = firstOf('clusters', clusterOf('other'), from);
      const endpoints = firstOf('endpoints', clusterOf('other'), from);
      assert.ok(cluster >= 0 && cluster < endpoints && endpoints < firstOf('routes', 'db', from));
    });

    it('has the cluster that was before until it has taken routes that lead elsewhere', async () => {
      const { xds, agent, stream, isTold, isGone } = await start(form);
      takeAll(stream);
      const from = stream.told.length;
      agent.say('/v1/discovery-chain/db', chainTo('other', 'http'));
      await until(() => isTold('routes', 'db', from));
      await xds.clock.advance(5000);
      assert.ok(!isGone('clusters', clusterOf('db'), from));
      takeAll(stream);
      await until(() => isGone('clusters', clusterOf('db'), from));
    });

    it('loses that cluster after a while too where it takes nothing of what it is told', async () => {
      const { xds, agent, stream, isTold, isGone } = await start(form);
      takeAll(stream);
      const from = stream.told.length;
      agent.say('/v1/discovery-chain/db', chainTo('other', 'http'));
      await until(() => isTold('routes', 'db', from));
      for (const told of stream.told.slice(from)) {
        stream.ack(told, namesOf(told), { error_detail: { code: 3, message: 'no' } });
      }
      await until(() => xds.logger.lines.some((line) => line.includes('refused')));
      assert.ok(!isGone('clusters', clusterOf('db'), from));
      await until(async () => {
        await xds.clock.advance(1000);
        return isGone('clusters', clusterOf('db'), from);
      });
    });

    it('is told of routes after a while where nobody can say who is at their cluster', async () => {
      const { xds, agent, stream, isTold } = await start(form);
      const from = stream.told.length;
      agent.silent.add('/v1/health/connect/late');
      agent.say('/v1/discovery-chain/db', chainTo('late', 'http'));
      await until(() => isTold('clusters', clusterOf('late'), from));
      await xds.clock.advance(5000);
      assert.ok(!isTold('routes', 'db', from));
      await until(async () => {
        await xds.clock.advance(1000);
        return isTold('routes', 'db', from);
      });
    });

    it('is told at once of another change of routes that lead to nobody already', async () => {
      const { xds, agent, stream, isTold } = await start(form);
      takeAll(stream);
      agent.silent.add('/v1/health/connect/late');
      agent.say('/v1/discovery-chain/db', chainTo('late', 'http'));
      await until(async () => {
        await xds.clock.advance(1000);
        return stream.told.some((each) => JSON.stringify(each).includes('"cluster":"late.'));
      });
      const from = stream.told.length;
      const { Chain } = chainTo('late', 'http');
      const [resolver] = Object.values(Chain.Nodes);
      const Resolver = { ...resolver?.Resolver, RequestTimeout: '7s' };
      const Nodes = { [Chain.StartNode]: { ...resolver, Resolver } };
      agent.say('/v1/discovery-chain/db', { Chain: { ...Chain, Nodes } });
      await until(() => isTold('routes', 'db', from));
    });

    it('waits a second for a cluster of which nobody knows, and where it has nothing yet', async () => {
      const { xds, agent, stream, isTold } = await start(form);
      const from = stream.told.length;
      agent.say('/v1/agent/service/web-proxy', registered({}, [DB, API]));
      agent.say('/v1/discovery-chain/api', 403);
      await until(async () => {
        await xds.clock.advance(100);
        return isTold('listeners', 'api:127.0.0.1:9192', from);
      });
      assert.ok(xds.clock.monotonic() - 5_000_000 < 5000);
    });

    it('is told that all of it is gone once an upstream is, and of all of it when that comes again', async () => {
      const { agent, stream, isTold, isGone: isGoneSince } = await start(form);
      const say = (upstreams: readonly object[]) =>
        agent.say('/v1/agent/service/web-proxy', registered({}, upstreams));
      say([DB, API]);
      await until(() => isTold('routes', 'api') && isTold('endpoints', clusterOf('api')));
      const [gone, isDelta] = [stream.told.length, form === DELTA];
      say([DB]);
      const isGone = (kind: Kind, name: string) => isGoneSince(kind, name, gone);
      const taking = () => takeAll(stream);
      await until(
        () =>
          taking() &&
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
