import assert from 'node:assert/strict';
import { LocalState } from '../../../agent/state/local-state.ts';
import { OwnCatalog } from '../../../agent/sync/own-catalog.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { checkNamed, nodeNamed, serviceNamed } from '../../support/factories.ts';

describe('an agent whose name another one has', () => {
  it('takes nothing of that one out of the catalog', async () => {
    const asked: string[] = [];
    const own = new OwnCatalog({
      local: new LocalState(),
      catalog: {
        node: async () => ({
          node: nodeNamed('n', { ID: 'theirs' }),
          services: [serviceNamed('web')],
          checks: [],
        }),
        register: async () => void asked.push('register'),
        registerSelf: async ({ skipNodeUpdate }) => {
          asked.push(`register ${skipNodeUpdate}`);
          throw new ProconsulError('rejected', 'Node name n is reserved');
        },
        deregister: async () => void asked.push('deregister'),
      },
      self: {
        node: () => nodeNamed('n', { ID: 'ours' }),
        aliveCheck: checkNamed('serfHealth'),
        tokens: { agent: '', user: '' },
      },
    });
    await own.compare(new Set());
    const refused = await own.tell('web', { service: true, checks: new Set() });
    assert.equal(refused?.error.message, 'Node name n is reserved');
    assert.deepEqual(asked, ['register false']);
  });
});

describe('tokens of what an agent registers', () => {
  function start(known: boolean) {
    const told: string[] = [];
    const local = new LocalState();
    const node = nodeNamed('n', { ID: 'ours' });
    const checks = [checkNamed('serfHealth')];
    const own = new OwnCatalog({
      local,
      catalog: {
        node: async (_name, token) => {
          told.push(`node ${token}`);
          return known ? { node, services: [serviceNamed('consul')], checks } : undefined;
        },
        registerSelf: async (_registration, token) => void told.push(`self ${token}`),
        register: async ({ service, checks, skipNodeUpdate }, token) => {
          const ids = [...(service ? [service.ID] : []), ...checks.map((each) => each.CheckID)];
          told.push(`${ids} ${token}${skipNodeUpdate ? '' : ' with its node'}`);
        },
        deregister: async (_what, token) => void told.push(`gone ${token}`),
      },
      self: {
        node: () => node,
        ownService: serviceNamed('consul'),
        aliveCheck: checkNamed('serfHealth'),
        tokens: { agent: 'agent', user: 'user' },
      },
    });
    local.putService({ definition: serviceNamed('web'), token: 'mine', source: 'api' });
    local.putService({ definition: serviceNamed('db'), token: '', source: 'api' });
    for (const [CheckID, ServiceID, token] of [
      ['w', 'web', 'mine'],
      ['x', 'web', 'other'],
      ['d', 'db', ''],
      ['n', '', ''],
    ] as const) {
      const definition = { ...checkNamed(CheckID), ServiceID };
      local.putCheck({ definition, spec: undefined, token, source: 'api' });
    }
    return { own, told, local };
  }

  const all = (...checks: string[]) => ({ service: true, checks: new Set(checks) });

  it('are their own, else the default one; the agent’s is for the node alone', async () => {
    const { own, told } = start(false);
    await own.tell('web', all('w', 'x'));
    await own.tell('db', all('d'));
    await own.tell('', { service: false, checks: new Set(['n']) });
    assert.deepEqual(told, ['self agent', 'web,w mine', 'x other', 'db,d user', 'n user']);
  });

  it('say nothing of a node that is known', async () => {
    const { own, told, local } = start(true);
    await own.compare(new Set());
    await own.tell('web', all('w'));
    assert.deepEqual(told, ['node agent', 'web,w mine']);
    await own.tellChecks([...local.checks.values()]);
    assert.deepEqual(told.slice(2), ['w mine', 'x other', 'd,n user']);
  });

  it('are not needed to take out what is gone', async () => {
    const { own, told, local } = start(true);
    await own.compare(new Set());
    local.removeService('web');
    await own.tell('web', all());
    assert.deepEqual(told.at(-1), 'gone agent');
  });

  it('do not take out what the node has by itself, for whoever could not put anything there', async () => {
    const { own, told } = start(true);
    await own.compare(new Set());
    // Somebody registered his own under these ids, which no server took, and takes it out again.
    await own.tell('consul', all());
    await own.tell('', { service: false, checks: new Set(['serfHealth']) });
    assert.deepEqual(told.slice(1), ['self agent', 'self agent']);
  });
});

describe('a node that is registered together with a service', () => {
  function start({ service = '', check = '', refused = '' }) {
    const asked: string[] = [];
    const local = new LocalState();
    const own = new OwnCatalog({
      local,
      catalog: {
        node: async () => undefined,
        registerSelf: async ({ service: its, checks }, token) => {
          asked.push(`self ${its?.ID} ${checks.map(({ CheckID }) => CheckID)} ${token}`);
          if (refused !== '') throw new ProconsulError('forbidden', refused);
        },
        register: async ({ skipNodeUpdate }) => void asked.push(`register ${skipNodeUpdate}`),
        deregister: async () => undefined,
      },
      self: {
        node: () => nodeNamed('n', { ID: 'ours' }),
        aliveCheck: checkNamed('serfHealth'),
        tokens: { agent: 'agent', user: 'agent' },
      },
    });
    local.putService({ definition: serviceNamed('web'), token: service, source: 'api' });
    const definition = { ...checkNamed('c'), ServiceID: 'web' };
    local.putCheck({ definition, spec: undefined, token: check, source: 'api' });
    return { own, asked };
  }
  const all = { service: true, checks: new Set(['c']) };

  it('is there with its sign of life and all of the service', async () => {
    const { own, asked } = start({});
    assert.equal(await own.registerWith('web', all), true);
    await own.tell('web', all);
    assert.deepEqual(asked, ['self web serfHealth,c agent', 'register true']);
  });

  it('is left to be told by itself where any of it has another token, or is gone', async () => {
    for (const tokens of [{ service: 'mine' }, { check: 'mine' }, { service: 'm', check: 'm' }]) {
      const { own, asked } = start(tokens);
      assert.equal(await own.registerWith('web', all), false);
      assert.deepEqual(asked, []);
    }
    const { own, asked } = start({});
    const more = { service: true, checks: new Set(['c', 'gone']) };
    assert.equal(await own.registerWith('web', more), false);
    assert.equal(await own.registerWith('db', all), false);
    assert.deepEqual(asked, []);
  });

  it('is not taken for known where that was refused', async () => {
    const { own, asked } = start({ refused: 'Permission denied' });
    assert.equal(await own.registerWith('web', all), false);
    await own.tell('web', all);
    assert.deepEqual(asked.slice(1), ['register false']);
  });
});
