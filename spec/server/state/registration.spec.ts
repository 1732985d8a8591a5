import assert from 'node:assert/strict';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, nodeNamed, registerOn, serviceNamed } from '../../support/factories.ts';

const ID_1 = '00000000-0000-4000-a000-000000000001';
const ID_2 = '00000000-0000-4000-a000-000000000002';
const web = serviceNamed('web');
const topics = (touched: ReadonlySet<string>) => [...touched].sort();

describe('register', () => {
  it('a node touches the list of nodes and the node, and no service', () => {
    const { touched } = new History().register('a');
    assert.deepEqual(topics(touched), ['catalog', 'node:a', 'nodes']);
  });

  it('an instance of a new service touches the names of services too', () => {
    const history = new History();
    history.register('a');
    const { touched } = history.register('a', { service: web });
    const ofService = ['health:web', 'instances:web', 'node:a', 'ordinary', 'ordinary:web'];
    assert.deepEqual(topics(touched), ['catalog', ...ofService, 'services']);
  });

  it('another instance of a known service leaves the names of services alone', () => {
    const history = new History();
    history.register('a', { service: web });
    const { touched } = history.register('b', { service: web });
    assert(!touched.has('services'));
    assert(touched.has('instances:web'));
  });

  it('an instance with a new tag touches the names of services', () => {
    const history = new History();
    history.register('a', { service: web });
    const { touched } = history.register('a', { service: { ...web, Tags: ['v2'] } });
    assert(touched.has('services'));
  });

  it("a node's new address touches the services on it, and not those on others", () => {
    const history = new History();
    history.register('a', { service: web });
    history.register('b', { service: serviceNamed('db') });
    const node = nodeNamed('a', { Address: '10.0.0.9' });
    const { touched } = history.run(registerOn('a', { node }));
    assert(touched.has('instances:web') && touched.has('health:web'));
    assert(!touched.has('instances:db'));
  });

  it("a node's own checks touch the health of what is on it once, however many they are", () => {
    const history = new History();
    for (let i = 0; i < 50; i++) history.register('a', { service: serviceNamed(`s${i}`) });
    const { topics: of } = history.state;
    const touch = of.touch.bind(of);
    let touches = 0;
    of.touch = (topic) => {
      touches++;
      touch(topic);
    };
    const many = (Status: string) =>
      Array.from({ length: 40 }, (_, i) => checkNamed(`c${i}`, { Status }));
    for (const status of ['passing', 'critical']) {
      touches = 0;
      const { touched } = history.register('a', { checks: many(status) });
      for (let i = 0; i < 50; i++) assert(touched.has(`health:s${i}`));
      assert(touches < 40 * 10 + 50, `${touches} touches`);
    }
  });

  it("an instance's check touches its health, and not the list of instances", () => {
    const history = new History();
    history.register('a', { service: web });
    const checks = [checkNamed('c', { ServiceID: 'web' })];
    const { touched } = history.register('a', { checks });
    assert(touched.has('health:web') && touched.has('service-checks:web'));
    assert(!touched.has('instances:web'));
  });

  it("a node's own check touches the health of all services on it", () => {
    const history = new History();
    history.register('a', { service: web });
    history.register('a', { service: serviceNamed('db') });
    const { touched } = history.register('a', { checks: [checkNamed('c')] });
    assert(touched.has('health:web') && touched.has('health:db'));
  });

  it('the same again touches nothing', () => {
    const history = new History();
    const over = { service: web, checks: [checkNamed('c', { ServiceID: 'web' })] };
    history.register('a', over);
    assert.equal(history.register('a', over).touched.size, 0);
  });

  it('a sidecar touches the mesh of its destination, and of the former when that changes', () => {
    const history = new History();
    const proxy = (DestinationServiceName: string) =>
      serviceNamed('proxy', { Kind: 'connect-proxy', Proxy: { DestinationServiceName } });
    history.register('a', { service: proxy('web') });
    const { touched } = history.register('a', { service: proxy('db') });
    assert(touched.has('connect:web') && touched.has('connect:db'));
  });

  it('names are one whatever their case, and the last spelling is shown', () => {
    const history = new History();
    history.register('a', { service: web });
    history.register('A', { service: { ...web, Service: 'Web' } });
    assert.equal(history.state.catalog.nodes.size, 1);
    assert.equal(history.state.catalog.node('a')?.Node, 'A');
    assert.equal([...history.state.catalog.instancesOf('WEB')].length, 1);
  });

  it('services that differ in case are listed apart, each with its tags', () => {
    const history = new History();
    history.register('a', { service: { ...web, Tags: ['x'] } });
    history.register('b', { service: { ...web, Service: 'Web', Tags: ['y'] } });
    const listed = [...history.state.catalog.serviceNames.entries()];
    assert.deepEqual(listed, [
      ['Web', ['y']],
      ['web', ['x']],
    ]);
  });

  it('a machine under a new name takes its id along, and leaves nothing behind', () => {
    const history = new History();
    const named = (name: string) =>
      registerOn(name, { node: nodeNamed(name, { ID: ID_1 }), service: web });
    history.run(named('old'));
    history.run(named('new'));
    const { catalog } = history.state;
    assert.equal(catalog.node('old'), undefined);
    assert.equal(catalog.nodeById(ID_1)?.Node, 'new');
    assert.deepEqual(
      [...catalog.instancesOf('web')].map(({ Node }) => Node),
      ['new'],
    );
  });

  it('refuses the name of a machine that lives, and gives that of one that does not', () => {
    const history = new History();
    const named = (ID: string) => registerOn('a', { node: nodeNamed('a', { ID }) });
    const health = (Status: string) => ({ checks: [checkNamed('serfHealth', { Status })] });
    history.run({ ...named(ID_1), ...health('passing') });
    assert.match(String(history.run(named(ID_2)).outcome.refused), /is reserved by node/);
    history.run({ ...named(ID_1), ...health('critical') });
    assert.equal(history.run(named(ID_2)).outcome.applied, true);
    assert.equal(history.state.catalog.nodeById(ID_1), undefined);
  });

  it('takes the node back when its check has no service', () => {
    const history = new History();
    const { outcome, touched } = history.register('a', {
      checks: [checkNamed('c', { ServiceID: 'none' })],
    });
    assert.match(String(outcome.refused), /Missing service registration/);
    assert.equal(touched.size, 0);
    assert.equal(history.state.catalog.node('a'), undefined);
  });

  it('with SkipNodeUpdate leaves a node that is there as it is', () => {
    const history = new History();
    history.register('a');
    const node = nodeNamed('a', { Address: '10.9.9.9' });
    history.run(registerOn('a', { node, skipNodeUpdate: true, service: web }));
    assert.equal(history.state.catalog.node('a')?.Address, '10.0.0.1');
  });
});

describe('deregister', () => {
  it('ends what is known of a name only with the last that has it, however each spells it', () => {
    const history = new History();
    history.register('a', { service: web });
    history.register('b', { service: serviceNamed('WEB') });
    const { topics: of } = history.state;
    const bury = of.bury.bind(of);
    const buried: string[] = [];
    of.bury = (topic) => {
      buried.push(topic);
      bury(topic);
    };
    const { touched } = history.run({ type: 'deregister', node: 'b' });
    assert(touched.has('ordinary:web'));
    assert(!buried.includes('ordinary:web'));
    history.run({ type: 'deregister', node: 'a' });
    assert(buried.includes('ordinary:web'));
  });

  function full(): History {
    const history = new History();
    history.register('a', { service: web, checks: [checkNamed('c', { ServiceID: 'web' })] });
    history.register('a', { checks: [checkNamed('n')] });
    return history;
  }

  it('a node takes all that is on it', () => {
    const history = full();
    history.run({ type: 'deregister', node: 'A' });
    const { nodes, instances, checks, serviceNames } = history.state.catalog;
    assert.deepEqual([nodes.size, instances.size, checks.size, serviceNames.size], [0, 0, 0, 0]);
  });

  it('an instance takes its own checks, and leaves those of the node', () => {
    const history = full();
    history.run({ type: 'deregister', node: 'a', serviceId: 'web' });
    assert.deepEqual(
      [...history.state.catalog.checks.values()].map((c) => c.CheckID),
      ['n'],
    );
  });

  it('a check touches the health of its service', () => {
    const { touched } = full().run({ type: 'deregister', node: 'a', checkId: 'c' });
    assert(touched.has('health:web') && !touched.has('instances:web'));
  });

  it('touches nothing of a node that has the name and another id', () => {
    const history = full();
    history.register('b', { node: nodeNamed('b', { ID: 'theirs' }), service: web });
    for (const what of [{}, { serviceId: 'web' }, { checkId: 'serfHealth' }]) {
      const { touched } = history.run({ type: 'deregister', node: 'b', nodeId: 'ours', ...what });
      assert.equal(touched.size, 0);
    }
    history.run({ type: 'deregister', node: 'b', nodeId: 'theirs', serviceId: 'web' });
    assert.equal(history.state.catalog.instance('b', 'web'), undefined);
    // One without an id is whoever's name it has.
    history.run({ type: 'deregister', node: 'a', nodeId: 'ours', serviceId: 'web' });
    assert.equal(history.state.catalog.instance('a', 'web'), undefined);
  });

  it('what is not there touches nothing', () => {
    assert.equal(full().run({ type: 'deregister', node: 'b' }).touched.size, 0);
    const gone = { type: 'deregister', node: 'a', serviceId: 'none' } as const;
    assert.equal(full().run(gone).touched.size, 0);
  });
});
