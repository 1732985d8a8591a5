/** Streams that tell what has changed. */
import assert from 'node:assert/strict';
import { TYPE_URLS } from '../../xds/resource.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import {
  EDS,
  startXds,
  type TestXds,
  type Told,
  XdsClient,
  type XdsStream,
} from '../support/servers/xds-clients.ts';

const sayPort = ({ agent }: TestXds, name: string, port: number) =>
  agent.sayInstances(name, [instance('a', { port })]);

const open = (xds: TestXds) => new XdsClient(xds.port).stream(EDS, 'DeltaEndpoints');

const ask = (stream: XdsStream, resource_names_subscribe: readonly string[], more: object = {}) =>
  stream.send({
    ...{ node: { id: 'client-1', cluster: 'edge' }, type_url: TYPE_URLS.endpoints },
    ...{ resource_names_subscribe, ...more },
  });

const told = ({ resources }: Told) =>
  resources.map(
    ({ name, resource }) => `${name} ${resource.endpoints[0]?.lb_endpoints.length ?? 0}`,
  );

describe('a stream of what changes', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('tells what is subscribed to with a version each, and then its changes alone', async () => {
    const xds = await startXds();
    for (const name of ['web', 'db']) sayPort(xds, name, 1);
    const stream = open(xds);
    ask(stream, ['web', 'db']);
    const seen = [...told(await stream.answer(0))];
    while (seen.length < 2) seen.push(...told(await stream.answer(seen.length)));
    assert.deepEqual(seen.sort(), ['db 1', 'web 1']);
    const before = stream.told.length;
    sayPort(xds, 'db', 2);
    const next = await stream.answer(before);
    assert.deepEqual(told(next), ['db 1']);
    assert.notEqual(next.resources[0].version, '');
    assert.deepEqual(next.removed_resources, []);
  });

  it('tells a client that comes again nothing of what it has', async () => {
    const xds = await startXds();
    for (const name of ['web', 'db']) sayPort(xds, name, 1);
    const before = open(xds);
    ask(before, ['web']);
    const { version } = (await before.answer(0)).resources[0];
    const stream = open(xds);
    ask(stream, ['web', 'db'], { initial_resource_versions: { web: version } });
    assert.deepEqual(told(await stream.answer(0)), ['db 1']);
    // Asked for anew it is told anew.
    ask(stream, ['web']);
    assert.deepEqual(told(await stream.answer(1)), ['web 1']);
  });

  it('tells nothing more of what is not subscribed to any more', async () => {
    const xds = await startXds();
    for (const name of ['web', 'db']) sayPort(xds, name, 1);
    const stream = open(xds);
    ask(stream, ['web']);
    await stream.answer(0);
    ask(stream, ['db'], { resource_names_unsubscribe: ['web'] });
    assert.deepEqual(told(await stream.answer(1)), ['db 1']);
    sayPort(xds, 'web', 2);
    sayPort(xds, 'db', 2);
    assert.deepEqual(told(await stream.answer(2)), ['db 1']);
  });

  it('tells an empty assignment of a service that nobody knows', async () => {
    const xds = await startXds();
    const stream = open(xds);
    ask(stream, ['nobody']);
    assert.deepEqual(told(await stream.answer(0)), ['nobody 0']);
  });
});
