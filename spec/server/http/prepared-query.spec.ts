// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Consul's placeholders.

import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { systemRandom } from '../../../lib/random.ts';
import { execute, queryToRun } from '../../../server/query/prepared.ts';
import { Reader } from '../../../server/query/reader.ts';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import { type Answer, startServer, type TestServer } from '../../support/servers/start-server.ts';

interface Found {
  readonly Service: string;
  readonly Nodes: readonly { readonly Service: { readonly ID: string } }[];
}

function idsIn(answer: Answer): string[] {
  return (answer.json as Found).Nodes.map(({ Service }) => Service.ID);
}

function serviceOf(explained: Answer) {
  return (explained.json as { Query: { Service: Record<string, unknown> } }).Query.Service;
}

async function put(test: TestServer, id: string, over: object = {}, status = 'passing') {
  await test.put('/v1/catalog/register', {
    Node: `node-${id}`,
    Address: '10.0.0.1',
    Service: { ID: id, Service: 'web', ...over },
    Check: { CheckID: `check-${id}`, Status: status, ServiceID: id },
  });
}

async function make(test: TestServer, query: object): Promise<string> {
  const { status, text, json } = await test.ask('POST', '/v1/query', { body: query });
  assert.equal(status, 200, text);
  return (json as { ID: string }).ID;
}

describe('GET /v1/query/:query/execute', () => {
  it('leaves critical instances out, and with OnlyPassing those that warn too', async () => {
    const test = await startServer();
    await put(test, 'well');
    await put(test, 'warns', {}, 'warning');
    await put(test, 'ill', {}, 'critical');
    await make(test, { Name: 'any', Service: { Service: 'web' } });
    await make(test, { Name: 'best', Service: { Service: 'web', OnlyPassing: true } });
    assert.deepEqual(idsIn(await test.get('/v1/query/any/execute')).sort(), ['warns', 'well']);
    assert.deepEqual(idsIn(await test.get('/v1/query/best/execute')), ['well']);
  });

  it('holds the checks of a node once for all of its instances', async () => {
    const test = await startServer();
    const Checks = [{ CheckID: 'disk', Status: 'passing' }];
    for (const ID of ['a', 'b']) {
      const Service = { ID, Service: 'web' };
      await test.put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1', Service, Checks });
    }
    await make(test, { Name: 'any', Service: { Service: 'web' } });
    const reader = new Reader(test.server.state, EVERYTHING);
    const asking = { asking: '', near: '', limit: 0, connect: false };
    const found = execute(reader, queryToRun(reader, 'any'), asking, systemRandom);
    assert.equal(found[0]?.checks.ofNode.length, 1);
    assert.equal(found[0]?.checks.ofNode, found[1]?.checks.ofNode);
  });

  it('does not mind the checks that IgnoreCheckIDs names', async () => {
    const test = await startServer();
    await put(test, 'ill', {}, 'critical');
    const Service = { Service: 'web', IgnoreCheckIDs: ['check-ill'], OnlyPassing: true };
    await make(test, { Name: 'any', Service });
    assert.deepEqual(idsIn(await test.get('/v1/query/any/execute')), ['ill']);
  });

  it('wants the tags that are named, in any case, and not those behind a !', async () => {
    const test = await startServer();
    await put(test, 'a', { Tags: ['V1', 'primary'] });
    await put(test, 'b', { Tags: ['v1'] });
    await make(test, { Name: 'q', Service: { Service: 'web', Tags: ['v1', '!PRIMARY'] } });
    assert.deepEqual(idsIn(await test.get('/v1/query/q/execute')), ['b']);
  });

  it('shuffles, and ?limit cuts after that', async () => {
    const test = await startServer();
    for (const id of ['a', 'b', 'c']) await put(test, id);
    await make(test, { Name: 'q', Service: { Service: 'web' } });
    const firsts = new Set<string>();
    for (let i = 0; i < 50; i++) {
      firsts.add(idsIn(await test.get('/v1/query/q/execute?limit=1')).join());
    }
    assert.deepEqual([...firsts].sort(), ['a', 'b', 'c']);
  });

  it('puts what is on the node that it is near to first', async () => {
    const test = await startServer();
    for (const id of ['a', 'b', 'c']) await put(test, id);
    const coordinate = (Node: string, x: number) =>
      test.put('/v1/coordinate/update', {
        Node,
        Coord: { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 },
      });
    await coordinate('node-a', 3);
    await coordinate('node-b', 1);
    await coordinate('node-c', 2);
    await make(test, { Name: 'q', Service: { Service: 'web', Near: 'node-b' } });
    const { ask } = test;
    const near = await ask('GET', '/v1/query/q/execute');
    const other = await ask('GET', '/v1/query/q/execute?near=node-a');
    assert.equal(near.status, 200);
    assert.equal(idsIn(near)[0], 'b');
    assert.equal(idsIn(other)[0], 'a');
  });

  it('finds by id and by a name in any case, with slashes and spaces', async () => {
    const test = await startServer();
    await put(test, 'a');
    const id = await make(test, { Name: 'x Y/z', Service: { Service: 'web' } });
    for (const name of [id, id.toUpperCase(), 'X%20y/Z', 'x%20y%2Fz']) {
      assert.deepEqual(idsIn(await test.get(`/v1/query/${name}/execute`)), ['a'], name);
    }
  });

  it('answers 404 for a name that means none', async () => {
    const test = await startServer();
    const { status, text } = await test.get('/v1/query/none/execute');
    assert.deepEqual([status, text], [404, 'Query not found']);
  });
});

describe('a template', () => {
  it('fills the name and the groups of its pattern into every text', async () => {
    const test = await startServer();
    await make(test, {
      Name: 'geo-',
      Template: { Type: 'name_prefix_match', Regexp: '^geo-(.*?)-([^-]+)$' },
      Service: {
        Service: '${match(1)}|${name.full}|${name.prefix}|${ name.suffix }|${match(7)}',
        Tags: ['${match(2)}', '$${x}'],
        NodeMeta: { r: '${match(2)}' },
        Failover: { Datacenters: ['${agent.segment}${match(0)}'] },
      },
    });
    const service = serviceOf(await test.get('/v1/query/geo-web-v2/explain'));
    assert.equal(service['Service'], 'web|geo-web-v2|geo-|web-v2|');
    assert.deepEqual(service['Tags'], ['v2', '${x}']);
    assert.deepEqual(service['NodeMeta'], { r: 'v2' });
    assert.deepEqual(service['Failover'], { NearestN: 0, Datacenters: ['geo-web-v2'] });
  });

  it('gives way to an exact name and to a longer prefix', async () => {
    const test = await startServer();
    const template = (Name: string) =>
      make(test, {
        Name,
        Template: { Type: 'name_prefix_match' },
        Service: { Service: `of-${Name}` },
      });
    await template('');
    await template('a');
    await template('a-long');
    await make(test, { Name: 'a-long-exact', Service: { Service: 'of-exact' } });
    const said = async (name: string) =>
      serviceOf(await test.get(`/v1/query/${name}/explain`))['Service'];
    assert.equal(await said('zzz'), 'of-');
    assert.equal(await said('A-lo'), 'of-a');
    assert.equal(await said('a-longer'), 'of-a-long');
    assert.equal(await said('a-long-EXACT'), 'of-exact');
  });

  it('removes the tags that came out empty when it is told to', async () => {
    const test = await startServer();
    const Template = { Type: 'name_prefix_match', RemoveEmptyTags: true };
    await make(test, {
      Name: 'q',
      Template,
      Service: { Service: 'x', Tags: ['${match(1)}', 'y'] },
    });
    assert.deepEqual(serviceOf(await test.get('/v1/query/q/explain'))['Tags'], ['y']);
  });

  const wrong: readonly [string, string, string][] = [
    [
      '${nope}',
      '',
      "Bad evaluation for '${nope}' in Service.Service: unknown variable accessed: nope",
    ],
    ['${match(1)', '', "Bad format '${match(1)' in Service.Service: parse error: syntax error"],
    ['x', '((', 'Bad Regexp: error parsing regexp: missing closing ): `((`'],
    ['x', 'x{900}x{900}', 'Bad Regexp: the pattern is too large'],
  ];
  for (const [Service, Regexp, why] of wrong) {
    it(`is refused with the text ${Service} and the pattern ${Regexp}`, async () => {
      const test = await startServer();
      const Template = { Type: 'name_prefix_match', Regexp };
      const body = { Name: 'q', Template, Service: { Service } };
      const { status, text } = await test.ask('POST', '/v1/query', { body });
      assert.deepEqual([status, text], [500, `failed compiling template: ${why}`]);
    });
  }
});

describe('a prepared query that is bound to a session', () => {
  it('goes with it', async () => {
    const test = await startServer();
    await put(test, 'a');
    const session = await test.put('/v1/session/create', { Node: 'node-a', Checks: [] });
    const { ID } = session.json as { ID: string };
    await make(test, { Session: ID, Service: { Service: 'web' } });
    assert.equal(((await test.get('/v1/query')).json as object[]).length, 1);
    await test.put(`/v1/session/destroy/${ID}`);
    assert.deepEqual((await test.get('/v1/query')).json, []);
  });
});

describe('PUT /v1/query/:id', () => {
  it('moves no index when it changes nothing', async () => {
    const test = await startServer();
    const body = { Name: 'q', Service: { Service: 'web', Tags: [] } };
    const id = await make(test, body);
    const { index } = await test.get(`/v1/query/${id}`);
    assert.equal((await test.put(`/v1/query/${id}`, body)).status, 200);
    assert.equal((await test.get(`/v1/query/${id}`)).index, index);
  });

  it('refuses the name of another query, and the id of one as a name', async () => {
    const test = await startServer();
    const first = await make(test, { Name: 'first', Service: { Service: 'web' } });
    const second = await make(test, { Name: 'second', Service: { Service: 'web' } });
    const rename = async (Name: string) => {
      const body = { Name, Service: { Service: 'web' } };
      return (await test.put(`/v1/query/${second}`, body)).text;
    };
    assert.equal(await rename('FIRST'), "name 'FIRST' aliases an existing query name");
    assert.equal(await rename(first), `name '${first}' aliases an existing query ID`);
  });
});

describe('a snapshot with prepared queries', () => {
  it('brings them back, found by name and by prefix', async () => {
    const { server, ...test } = await startServer();
    await make({ server, ...test }, { Name: 'exact', Service: { Service: 'web' } });
    const Template = { Type: 'name_prefix_match' };
    await make({ server, ...test }, { Name: 'pre', Template, Service: { Service: 'web' } });
    const restoring = new Restoring();
    for (const line of dump(server.state)) restoring.add(line);
    const { queries } = restoring.finish();
    assert.equal(queries.resolve('EXACT'), queries.named('exact'));
    assert.equal(queries.resolve('prefixed'), queries.template('pre'));
  });
});
