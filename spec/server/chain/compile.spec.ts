import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ConfigEntryDefinition } from '../../../lib/config-entries/entry.ts';
import type { Kind } from '../../../lib/config-entries/kind.ts';
import { decodeEntry } from '../../../lib/config-entries/kinds.ts';
import { messageOf, ProconsulError } from '../../../lib/errors.ts';
import { encodeJson } from '../../../lib/json.ts';
import {
  type Chain,
  type ChainNode,
  NO_OVERRIDES,
  type Overrides,
} from '../../../server/chain/chain.ts';
import { compileChain, protocolOfChain } from '../../../server/chain/compile.ts';
import type { KnownPlaces } from '../../../server/chain/resolvers.ts';
import { Spoken } from '../../../server/chain/spoken.ts';
import { configEntry } from '../../support/experiments/config-entries.ts';
import { SEED } from '../../support/seed.ts';

class Entries {
  readonly #entries = new Map<string, ConfigEntryDefinition>();

  constructor(entries: readonly ConfigEntryDefinition[]) {
    for (const each of entries) this.#entries.set(`${each.Kind}/${each.Name.toLowerCase()}`, each);
  }

  entryOf<E extends ConfigEntryDefinition>({ kind }: Kind<E>, name: string): E | undefined {
    return this.#entries.get(`${kind}/${name.toLowerCase()}`) as E | undefined;
  }
}

const HTTP = { Kind: 'proxy-defaults', Config: { protocol: 'http' } };
const place = { datacenter: 'dc1', here: 'dc1', trustDomain: 'td.consul' };

function chain(service: string, written: readonly object[], overrides: Partial<Overrides> = {}) {
  const entries = new Entries(written.map(decodeEntry));
  return compileChain(entries, {
    ...place,
    service,
    overrides: { ...NO_OVERRIDES, ...overrides },
  });
}

const resolver = (Name: string, over: object) => ({ Kind: 'service-resolver', Name, ...over });
const split = (Name: string, ...to: (readonly [number, string])[]) => ({
  Kind: 'service-splitter',
  Name,
  Splits: to.map(([Weight, Service]) => ({ Weight, Service })),
});
const protocol = (Name: string, Protocol: string) => ({ Kind: 'service-defaults', Name, Protocol });
const splitsOf = (compiled: Chain) =>
  Object.values(compiled.Nodes).flatMap((node) =>
    node.Type === 'splitter'
      ? node.Splits.map(({ Weight = 0, NextNode }) => [Weight, NextNode])
      : [],
  );
const refusal = (...args: Parameters<typeof chain>) => {
  try {
    chain(...args);
    return '';
  } catch (error) {
    return messageOf(error);
  }
};

/** As recorded of 1.8.7. */
describe('a discovery chain', () => {
  it('is a lone resolver where nobody says anything', () => {
    assert.deepEqual(chain('plain', []), {
      ServiceName: 'plain',
      Namespace: 'default',
      Datacenter: 'dc1',
      Protocol: 'tcp',
      StartNode: 'resolver:plain.default.dc1',
      Nodes: {
        'resolver:plain.default.dc1': {
          Type: 'resolver',
          Name: 'plain.default.dc1',
          Resolver: { ConnectTimeout: '5s', Default: true, Target: 'plain.default.dc1' },
        },
      },
      Targets: {
        'plain.default.dc1': {
          ID: 'plain.default.dc1',
          Service: 'plain',
          Namespace: 'default',
          Datacenter: 'dc1',
          MeshGateway: {},
          Subset: {},
          SNI: 'plain.default.dc1.internal.td.consul',
          Name: 'plain.default.dc1.internal.td.consul',
        },
      },
    });
  });

  it('makes splitters within one another one, rounded level by level', () => {
    const entries = [
      HTTP,
      split('sb', [50, 'sb'], [50, 'q']),
      split('sd', [50, 'sb'], [50, 'q']),
      split('se', [33.33, 'sd'], [66.67, 'sb']),
    ];
    assert.deepEqual(splitsOf(chain('se', entries)), [
      [8.34, 'resolver:sb.default.dc1'],
      [8.34, 'resolver:q.default.dc1'],
      [16.67, 'resolver:q.default.dc1'],
      [33.34, 'resolver:sb.default.dc1'],
      [33.34, 'resolver:q.default.dc1'],
    ]);
  });

  it('goes after redirects and default subsets', () => {
    const entries = [
      resolver('web', { DefaultSubset: 'v1', Subsets: { v1: {} }, ConnectTimeout: '3s' }),
      resolver('far', { Redirect: { Service: 'web', Datacenter: 'dc9' } }),
      resolver('own', { Redirect: { Service: 'own' } }),
    ];
    assert.equal(chain('far', entries).StartNode, 'resolver:v1.web.default.dc9');
    assert.equal(chain('own', entries).StartNode, 'resolver:own.default.dc1');
  });

  it('fails over to other services, subsets and data centres, and never to itself', () => {
    const failoverOf = (name: string, over: object) => {
      const compiled = chain(name, [
        resolver('k2', {
          DefaultSubset: 'v1',
          Subsets: { v1: {} },
          Redirect: { Datacenter: 'dc5' },
        }),
        resolver(name, over),
      ]);
      const node = compiled.Nodes[compiled.StartNode];
      return node?.Type === 'resolver' ? (node.Resolver.Failover?.Targets ?? []) : [];
    };
    const any = (over: object) => ({ Failover: { '*': over } });
    assert.deepEqual(failoverOf('f', any({ Service: 'k2' })), ['v1.k2.default.dc5']);
    assert.deepEqual(failoverOf('f', any({ Service: 'f' })), []);
    assert.deepEqual(failoverOf('f', any({ Datacenters: ['dc1', 'dc2', 'dc2'] })), [
      'f.default.dc2',
      'f.default.dc2',
    ]);
    const subsets = { DefaultSubset: 'v1', Subsets: { v1: {}, v2: {} } };
    assert.deepEqual(failoverOf('f', { ...subsets, ...any({ ServiceSubset: 'v2' }) }), [
      'v2.f.default.dc1',
    ]);
  });

  it('reaches other data centres through mesh gateways, and what is outside by its own name', () => {
    const entries = [
      { Kind: 'proxy-defaults', MeshGateway: { Mode: 'local' } },
      { ...protocol('old', 'tcp'), ExternalSNI: 'old.example' },
      resolver('f', { Failover: { '*': { Datacenters: ['dc2'] } } }),
      resolver('g', { Failover: { '*': { Service: 'old', Datacenters: ['dc2'] } } }),
    ];
    assert.deepEqual(chain('f', entries).Targets['f.default.dc2']?.MeshGateway, { Mode: 'local' });
    const { SNI, External, MeshGateway } = chain('g', entries).Targets['old.default.dc2'] ?? {};
    assert.deepEqual(
      { SNI, External, MeshGateway },
      { SNI: 'old.example', External: true, MeshGateway: {} },
    );
  });

  it('says by a hash that it was overridden, where that makes a difference', () => {
    const entries = [HTTP, split('s', [100, 'x'])];
    assert.equal(chain('s', entries, { protocol: 'http' }).CustomizationHash, undefined);
    assert.equal(chain('s', entries, { connectTimeout: 5e9 }).CustomizationHash, undefined);
    const overridden = chain('s', entries, { protocol: 'tcp' });
    assert.match(overridden.CustomizationHash ?? '', /^[0-9a-f]{8}$/);
    assert.equal(overridden.StartNode, 'resolver:s.default.dc1');
    assert.equal(chain('s', entries, { protocol: 'grpc' }).StartNode, 'splitter:s.default');
  });

  it('is refused where it leads in a circle', () => {
    assert.equal(
      refusal('a', [
        resolver('a', { Redirect: { Service: 'b' } }),
        resolver('b', { Redirect: { Service: 'a' } }),
      ]),
      'detected circular resolver redirect: [a.default.dc1 -> b.default.dc1 -> a.default.dc1]',
    );
    assert.equal(
      refusal('sb', [HTTP, split('sb', [100, 'sc']), split('sc', [100, 'sb'])]),
      'detected circular reference: [splitter:sb.default -> splitter:sc.default -> splitter:sb.default]',
    );
  });

  it('is refused where it speaks two protocols, or one that has nothing to route by', () => {
    const route = {
      Kind: 'service-router',
      Name: 'web',
      Routes: [{ Destination: { Service: 'admin' } }],
    };
    assert.equal(
      refusal('web', [protocol('web', 'http'), route]),
      'discovery chain "web" uses inconsistent protocols; service "admin" has "tcp" which is not "http"',
    );
    assert.equal(
      refusal('b', [protocol('b', 'http'), split('b', [100, 'c'])]),
      'discovery chain "b" uses a protocol "tcp" that does not permit advanced routing or splitting behavior',
    );
    const external = { ...protocol('x', 'tcp'), ExternalSNI: 'x.example' };
    assert.equal(
      refusal('x', [external, resolver('x', { Subsets: { v1: {} } })]),
      'service "x" has an external SNI set; cannot define subsets for external services',
    );
  });

  it('speaks what proxy-defaults say, in whichever letters, and of whichever type', () => {
    const spoken = (value: unknown) =>
      chain('a', [{ Kind: 'proxy-defaults', Config: { protocol: value } }]).Protocol;
    const values = ['HTTP', 'gRPC', 5, true, null, { http: 1 }];
    assert.deepEqual(values.map(spoken), ['http', 'grpc', '5', '1', 'tcp', 'tcp']);
  });

  it('speaks tcp where its own defaults say nothing of it, whatever is said of all', () => {
    assert.equal(chain('web', [HTTP, protocol('web', '')]).Protocol, 'tcp');
    assert.equal(chain('web', [HTTP, protocol('other', '')]).Protocol, 'http');
  });

  it('leads to nobody here who is meant in another cluster', () => {
    const Failover = { '*': { Targets: [{ Service: 'api', Peer: 'east' }, { Service: 'db' }] } };
    const { Nodes } = chain('web', [resolver('web', { Failover })]);
    const [node] = Object.values(Nodes);
    assert.ok(node?.Type === 'resolver');
    assert.deepEqual(node.Resolver.Failover?.Targets, ['db.default.dc1']);
    const Redirect = { Service: 'api', Peer: 'east' };
    assert.match(refusal('web', [resolver('web', { Redirect })]), /clusters are not peered here/);
  });

  it('is bounded: splitters that multiply, by one another and by routes, splitters and redirects without end', () => {
    const wide = (name: string, to: (i: number) => string) => ({
      Kind: 'service-splitter',
      Name: name,
      Splits: Array.from({ length: 200 }, (_, i) => ({ Weight: 0.5, Service: to(i) })),
    });
    const levels = ['l0', 'l1', 'l2', 'l3'];
    const multiplied = levels.map((name, i) =>
      wide(name, (n) => (i === levels.length - 1 ? `end${n}` : (levels[i + 1] ?? ''))),
    );
    assert.match(refusal('l0', [HTTP, ...multiplied]), /more than 10000 splits/);
    const tops = Array.from({ length: 60 }, (_, i) => split(`top${i}`, [100, 'l3']));
    const Routes = tops.map(({ Name }) => ({
      Match: { HTTP: { PathPrefix: `/${Name}` } },
      Destination: { Service: Name },
    }));
    const routed = [HTTP, { Kind: 'service-router', Name: 'r', Routes }, ...tops, ...multiplied];
    assert.match(refusal('r', routed), /more than 10000 splits/);
    const deep = Array.from({ length: 5000 }, (_, i) => split(`s${i}`, [100, `s${i + 1}`]));
    assert.match(refusal('s0', [HTTP, ...deep]), /splitters 100 deep/);
    const long = Array.from({ length: 5000 }, (_, i) =>
      resolver(`r${i}`, { Redirect: { Service: `r${i + 1}` } }),
    );
    assert.match(refusal('r0', long), /redirected more than 1000 times/);
  });
});

describe(`discovery chains of any entries (seed ${SEED})`, () => {
  const RUNS = 10_000;

  /** The answer, or the refusal: whatever else comes is a defect. */
  const answerOf = (entries: readonly ConfigEntryDefinition[], service: string) => {
    try {
      const request = { ...place, service, overrides: NO_OVERRIDES };
      return compileChain(new Entries(entries), request);
    } catch (error) {
      assert.ok(error instanceof ProconsulError, String(error));
      return error.message;
    }
  };

  it('come to one answer, whole and within bounds, or to one refusal', () => {
    const entries = fc.array(configEntry, { maxLength: 12 });
    const property = fc.property(entries, fc.constantFrom('a', 'b', 'c'), (written, service) => {
      const answer = answerOf(written, service);
      // The later one of a name counts: their order among others must not.
      const last = [
        ...new Map(written.map((e) => [`${e.Kind}/${e.Name.toLowerCase()}`, e])).values(),
      ];
      assert.equal(encodeJson(answerOf([...last].reverse(), service)), encodeJson(answer));
      if (typeof answer !== 'string') isWhole(answer);
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  }).timeout(120_000);

  it('are refused as they are when several are looked at together', () => {
    const entries = fc.array(configEntry, { maxLength: 12 });
    const property = fc.property(entries, (written) => {
      const known: KnownPlaces = new Map();
      for (const service of ['a', 'b', 'c', 'a']) {
        const request = { ...place, service, overrides: NO_OVERRIDES };
        const answer = answerOf(written, service);
        const told = toldBy(() => protocolOfChain(new Entries(written), request, known));
        assert.equal(told, typeof answer === 'string' ? answer : answer.Protocol);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  }).timeout(120_000);
});

function toldBy(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return messageOf(error);
  }
}

describe('several discovery chains looked at together', () => {
  it('look once at what many of them lead to', () => {
    const to = Array.from({ length: 50 }, (_, i): [number, string] => [2, `t${i}`]);
    const written = [HTTP, ...Array.from({ length: 100 }, (_, i) => split(`r${i}`, ...to))];
    const entries = new Entries(written.map(decodeEntry));
    let resolved = 0;
    const counting = {
      entryOf<E extends ConfigEntryDefinition>(kind: Kind<E>, name: string): E | undefined {
        if (kind.kind === 'service-resolver') resolved++;
        return entries.entryOf(kind, name);
      },
    };
    const known: KnownPlaces = new Map();
    for (let i = 0; i < 100; i++) {
      const request = { ...place, service: `r${i}`, overrides: NO_OVERRIDES };
      protocolOfChain(counting, request, known);
    }
    assert.equal(resolved, to.length);
  });

  it('are refused once, however often one that cannot be is asked for', () => {
    const entries = new Entries(
      [HTTP, split('a', [100, 'b']), split('b', [100, 'a'])].map(decodeEntry),
    );
    let reads = 0;
    const spoken = new Spoken({
      entryOf<E extends ConfigEntryDefinition>(kind: Kind<E>, name: string): E | undefined {
        reads++;
        return entries.entryOf(kind, name);
      },
    });
    assert.throws(() => spoken.of('a'), /circular reference/);
    const before = reads;
    assert.throws(() => spoken.of('a'), /circular reference/);
    assert.equal(reads, before);
  });
});

/** Whatever a chain leads to is there, and nothing else is. */
function isWhole(compiled: Chain): void {
  const { StartNode, Nodes, Targets, Protocol } = compiled;
  const reached = new Set<string>();
  const visit = (key: string): void => {
    const node = Nodes[key] ?? assert.fail(`${key} is not there`);
    if (reached.has(key)) return;
    reached.add(key);
    for (const next of nextOf(node)) visit(next);
    for (const id of targetsOf(node)) assert.ok(Targets[id], id);
  };
  visit(StartNode);
  if (!StartNode.startsWith('resolver:')) assert.match(Protocol, /^(http2?|grpc)$/);
  assert.deepEqual([...reached].sort(), Object.keys(Nodes).sort());
}

function nextOf(node: ChainNode): readonly string[] {
  if (node.Type === 'router') return node.Routes.map(({ NextNode }) => NextNode);
  if (node.Type === 'resolver') return [];
  const sum = node.Splits.reduce((total, { Weight = 0 }) => total + Weight, 0);
  assert.ok(Math.abs(sum - 100) < 0.1 * node.Splits.length, `the splits come to ${sum}`);
  assert.ok(node.Splits.every(({ NextNode }) => NextNode.startsWith('resolver:')));
  return node.Splits.map(({ NextNode }) => NextNode);
}

function targetsOf(node: ChainNode): readonly string[] {
  if (node.Type !== 'resolver') return [];
  const { Target, Failover } = node.Resolver;
  assert.ok(!Failover?.Targets.includes(Target));
  return [Target, ...(Failover?.Targets ?? [])];
}
