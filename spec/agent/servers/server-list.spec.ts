import assert from 'node:assert/strict';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serverInfo } from '../../support/servers/upstreams.ts';

const three = ['a', 'b', 'c'].map((id) => serverInfo(id, `${id}:8300`));

function setUp() {
  const clock = new FakeClock();
  const servers = new ServerList(clock, seededRandom(3)).add(three);
  const gone: string[] = [];
  servers.onGone((id) => gone.push(id));
  return { clock, servers, gone };
}

const nodes = (list: readonly { readonly Node: string }[]) => list.map(({ Node }) => Node);

describe('the servers that an agent knows', () => {
  it('are asked in the order of the ring, those that failed of late last', () => {
    const { servers } = setUp();
    const placed = nodes(servers.placed('web'));
    assert.deepEqual(nodes(servers.inOrder('web')), placed);
    servers.breaker.failed(placed[0] ?? '');
    assert.deepEqual(nodes(servers.inOrder('web')), [placed[1], placed[2], placed[0]]);
    assert.deepEqual(nodes(servers.placed('web')), placed);
  });

  it('are all asked where all failed', () => {
    const { servers } = setUp();
    for (const { ID } of three) servers.breaker.failed(ID);
    assert.equal(servers.inOrder('web').length, 3);
  });

  it('are those that a server says there are; one that says none is not believed', () => {
    const { servers, gone } = setUp();
    servers.replace(three.slice(1));
    assert.deepEqual([nodes(servers.all), gone], [['b', 'c'], ['a']]);
    servers.replace([]);
    assert.equal(servers.size, 2);
    assert.ok(!nodes(servers.placed('web')).includes('a'));
  });

  it('are not gone where only their id is another one', () => {
    const { servers, gone } = setUp();
    servers.replace([{ ...serverInfo('new', 'a:8300') }, ...three.slice(1)]);
    assert.deepEqual(gone, []);
    assert.deepEqual(nodes(servers.all).sort(), ['b', 'c', 'new']);
  });

  it('have moved where their id is the same and their address another', () => {
    const { servers } = setUp();
    servers.replace([serverInfo('a', 'elsewhere:8300'), ...three.slice(1)]);
    const [moved] = servers.all.filter(({ ID }) => ID === 'a');
    assert.equal(moved?.Url, 'http://elsewhere:8300');
  });

  it('share all keys between them', () => {
    const { servers } = setUp();
    const shares = [...servers.shares().values()];
    const sum = shares.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, String(sum));
  });
});
