/**
 * Commands of every type, drawn from pools so small that they meet: the same nodes, services,
 * sessions and keys again and again, in names that differ in case or mean something to a language.
 */
import fc from 'fast-check';
import type {
  CheckDefinition,
  NodeDefinition,
  ServiceDefinition,
  StringMap,
} from '../../../lib/model.ts';
import type { Command, Entry, KvOp, StagedRow, TxnOp } from '../../../server/commands.ts';
import { START } from '../../../server/log/event-log.ts';
import { nextEntry, positionOf } from '../../../server/log/next-entry.ts';
import { encodeProposal } from '../../../server/log/payload.ts';
import { checkNamed, nodeNamed, serviceNamed } from '../factories.ts';
import { ACL_KINDS } from './acl-commands.ts';
import { EUREKA_KINDS } from './eureka-commands.ts';
import { HISTORY_KINDS, stagedPast } from './history-commands.ts';
import { MESH_KINDS } from './mesh-commands.ts';
import { SETTINGS_KINDS } from './settings-commands.ts';

/** The last is where an instance of Eureka's stands whose host's name is another's. */
export const NODES = ['a', 'A', 'b', 'İstanbul', '__proto__', 'eureka-10.0.0.1'] as const;
export const SERVICES = ['web', 'Web', 'db', 'constructor', 'ıi'] as const;
export const KEYS = ['k', 'k/1', 'k/2', 'k/2/x', 'z\0', '\u{1f600}', '\uffff', ''] as const;
const uuid = (n: number) => `00000000-0000-4000-a000-00000000000${n}`;
export const SESSIONS = [uuid(1), uuid(2), uuid(3)] as const;
const NODE_IDS = ['', uuid(7), uuid(8)] as const;
/** The last is that of a lease of Eureka's, and of others. */
const CHECKS = ['serfHealth', 'c1', 'c2', 'service:1'] as const;
const KEY = 'pUqJrVyVRj5jsiYEkM/tFQ==';
const STATUSES = ['passing', 'warning', 'critical'] as const;
const HUGE = [0, 1, 5, 2n ** 63n, 2n ** 64n - 1n] as const;

const node = fc.constantFrom(...NODES);
const session = fc.constantFrom(...SESSIONS);
const meta: fc.Arbitrary<StringMap | null> = fc.constantFrom(
  null,
  { k: 'v' },
  Object.fromEntries([['__proto__', 'x']]),
);
const index = fc.oneof(fc.nat(40), fc.constantFrom(...HUGE));

const nodeDefinition: fc.Arbitrary<NodeDefinition> = fc
  .tuple(node, fc.constantFrom(...NODE_IDS), fc.constantFrom('10.0.0.1', '10.0.0.2'), meta)
  .map(([Node, ID, Address, Meta]) => nodeNamed(Node, { ID, Address, Meta }));

const service: fc.Arbitrary<ServiceDefinition> = fc
  .record({
    Service: fc.constantFrom(...SERVICES),
    ID: fc.constantFrom('1', '2', 'x'),
    Port: fc.constantFrom(80, 81),
    Tags: fc.constantFrom([], ['t'], ['u', 't']),
    Kind: fc.constantFrom('', '', 'connect-proxy'),
    Proxy: fc.constantFrom({}, { DestinationServiceName: 'db' }),
    Connect: fc.constantFrom({}, { Native: true }),
    Meta: meta,
  })
  .map(({ Service, ...over }) => serviceNamed(Service, over));

const check: fc.Arbitrary<CheckDefinition> = fc
  .record({
    CheckID: fc.constantFrom(...CHECKS),
    Status: fc.constantFrom(...STATUSES),
    ServiceID: fc.constantFrom('', '', '1', '2'),
    Output: fc.constantFrom('', 'o'),
  })
  .map(({ CheckID, ...over }) => checkNamed(CheckID, over));

const checks = fc.uniqueArray(check, { maxLength: 2, selector: ({ CheckID }) => CheckID });
const CATALOG_VERBS = ['set', 'cas', 'delete', 'delete-cas', 'get'] as const;
const KV_VERBS = ['set', 'cas', 'lock', 'unlock', 'delete', 'delete-cas', 'delete-tree'] as const;
const KV_READS = ['get', 'get-tree', 'check-session', 'check-index', 'check-not-exists'] as const;

function kvOf(verbs: readonly string[]): fc.Arbitrary<KvOp> {
  return fc.record({
    verb: fc.constantFrom(...verbs),
    key: fc.constantFrom(...KEYS),
    value: fc.constantFrom(null, 'eA==', 'eQ=='),
    flags: fc.constantFrom(...HUGE),
    index,
    session,
  });
}

const catalogVerb = fc.constantFrom(...CATALOG_VERBS);
const txnOp: fc.Arbitrary<TxnOp> = fc.oneof(
  kvOf([...KV_VERBS, ...KV_READS, 'nonsense']).map((kv) => ({ kv })),
  fc.record({ node: fc.record({ verb: catalogVerb, node: nodeDefinition, index }) }),
  fc.record({ service: fc.record({ verb: catalogVerb, node, service, index }) }),
  fc.record({ check: fc.record({ verb: catalogVerb, node, check, index }) }),
);

const txnCommand: fc.Arbitrary<Command> = fc
  .array(txnOp, { minLength: 1, maxLength: 5 })
  .map((ops) => ({ type: 'txn', ops }));

const registerCommand: fc.Arbitrary<Command> = fc
  .record({ node: nodeDefinition, skipNodeUpdate: fc.boolean(), checks })
  .chain((plain) =>
    fc.option(service, { nil: undefined }).map((s) => ({
      type: 'register' as const,
      ...plain,
      ...(s === undefined ? {} : { service: s }),
    })),
  );

const deregisterCommand: fc.Arbitrary<Command> = fc.tuple(node, fc.nat(11)).map(([name, what]) => ({
  type: 'deregister',
  node: name,
  ...(what === 6 ? { nodeId: 'another' } : {}),
  ...(what < 3 ? { serviceId: ['1', '2', 'x'][what] ?? '' } : {}),
  ...(what === 3 ? { checkId: 'c1' } : {}),
  ...(what === 4 ? { checkId: 'service:1' } : {}),
}));

const createSession: fc.Arbitrary<Command> = fc
  .record({
    ID: session,
    Name: fc.constant(''),
    Node: node,
    LockDelay: fc.constantFrom(0, 15e9),
    Behavior: fc.constantFrom('release' as const, 'delete' as const),
    TTL: fc.constantFrom('', '10s'),
    NodeChecks: fc.constantFrom(null, [], ['serfHealth']),
    ServiceChecks: fc.constantFrom(null, [{ ID: 'c1', Namespace: '' }]),
  })
  .map((made) => ({ type: 'create-session', session: made }));

const coordinate = fc.record({
  Node: node,
  Segment: fc.constantFrom('', 's'),
  Coord: fc.record({
    Vec: fc.constantFrom([0, 0, 0, 0, 0, 0, 0, 0], [0.1, 2, 0, 0, 0, 0, 0, 1e-9]),
    Error: fc.constant(1.5),
    Adjustment: fc.constant(0),
    Height: fc.constantFrom(0.00001, 0.1),
  }),
});

const member = fc.record({
  ID: fc.constantFrom(uuid(7), uuid(8)),
  Node: node,
  Address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
  Port: fc.constant(8301),
  Tags: fc.constantFrom({}, { role: 'node' }),
});

const query = fc.record({
  ID: fc.constantFrom(uuid(4), uuid(5)),
  Name: fc.constantFrom('', 'web', 'Web', 'w'),
  Session: fc.constantFrom('', '', ...SESSIONS),
  Token: fc.constant(''),
  Template: fc.record({
    Type: fc.constantFrom('', '', 'name_prefix_match'),
    Regexp: fc.constant(''),
    RemoveEmptyTags: fc.constant(false),
  }),
  Service: fc.record({
    Service: fc.constantFrom('web', 'db'),
    Failover: fc.constant({ NearestN: 0, Datacenters: null }),
    OnlyPassing: fc.boolean(),
    IgnoreCheckIDs: fc.constant(null),
    Near: fc.constant(''),
    Tags: fc.constant(null),
    NodeMeta: fc.constant(null),
    ServiceMeta: fc.constant(null),
    Connect: fc.constant(false),
  }),
  DNS: fc.constant({ TTL: '' }),
});

const userEvent = session.map((ID) => ({
  ID,
  Name: 'deploy',
  Payload: null,
  NodeFilter: '',
  ServiceFilter: '',
  TagFilter: '',
  Version: 1,
}));

const restore = fc.constantFrom('r1', 'r2');
const indexed = { CreateIndex: fc.nat(40), ModifyIndex: fc.nat(40) };
/** Rows that another cluster may have had, each whole by itself. */
const stagedRow: fc.Arbitrary<StagedRow> = fc.oneof(
  fc.record({
    node: fc.record({ ...indexed, definition: nodeDefinition }).map(({ definition, ...of }) => ({
      ...definition,
      ...of,
    })),
  }),
  fc.record({
    kv: fc.record({
      ...indexed,
      LockIndex: fc.nat(2),
      Key: fc.constantFrom(...KEYS),
      Flags: fc.constantFrom(...HUGE),
      Value: fc.constantFrom(null, 'eA=='),
    }),
  }),
  fc.record({ coordinate }),
  stagedPast(node),
);

const term = fc.nat(20);
const coordinates = fc.uniqueArray(coordinate, {
  maxLength: 2,
  selector: ({ Node, Segment }) => Node.toLowerCase() + Segment,
});

type Kinds = { readonly [T in Command['type']]: [number, fc.Arbitrary<Command>] };

/** Known then, or changed since. */
const askers = fc.record({
  accessor: fc.constantFrom(uuid(1), uuid(2), ''),
  at: fc.constantFrom(1, Number.MAX_SAFE_INTEGER),
});

/** By type, so that no new one is forgotten: how often it comes, and what it then is. */
const KINDS: Kinds = {
  'begin-restore': [
    1,
    fc.record(
      { type: fc.constant('begin-restore'), restore, index: fc.nat(60), onto: fc.constant(true) },
      { requiredKeys: ['type', 'restore', 'index'] },
    ),
  ],
  'stage-rows': [
    2,
    fc.record({
      type: fc.constant('stage-rows'),
      restore,
      part: fc.nat(1),
      rows: fc.array(stagedRow, { maxLength: 3 }),
    }),
  ],
  'end-restore': [1, fc.record({ type: fc.constant('end-restore'), restore, parts: fc.nat(2) })],
  ...ACL_KINDS,
  ...EUREKA_KINDS,
  ...HISTORY_KINDS,
  ...MESH_KINDS,
  register: [6, registerCommand],
  deregister: [3, deregisterCommand],
  kv: [
    6,
    fc.record(
      { type: fc.constant('kv'), op: kvOf(KV_VERBS), by: askers },
      { requiredKeys: ['type', 'op'] },
    ),
  ],
  txn: [4, txnCommand],
  'create-session': [3, createSession],
  'destroy-session': [1, session.map((id) => ({ type: 'destroy-session', id }))],
  'expire-sessions': [
    1,
    fc.record({
      type: fc.constant('expire-sessions'),
      term,
      ids: fc.subarray([...SESSIONS]),
    }),
  ],
  'expire-checks': [
    1,
    fc.record({
      type: fc.constant('expire-checks'),
      term,
      checks: fc.array(fc.record({ node, id: fc.constantFrom(...CHECKS), at: fc.nat(40) }), {
        maxLength: 2,
      }),
    }),
  ],
  'claim-leadership': [
    1,
    fc.record({
      type: fc.constant('claim-leadership'),
      server: fc.constantFrom('s1', 's2'),
      replaces: term,
    }),
  ],
  'update-coordinates': [1, fc.record({ type: fc.constant('update-coordinates'), coordinates })],
  'fire-event': [1, userEvent.map((event) => ({ type: 'fire-event', event }))],
  'set-query': [2, fc.record({ type: fc.constant('set-query'), query, update: fc.boolean() })],
  'delete-query': [
    1,
    fc.constantFrom(uuid(4), uuid(5)).map((id) => ({ type: 'delete-query', id })),
  ],
  'member-alive': [2, member.map((row) => ({ type: 'member-alive', member: row }))],
  'members-failed': [
    1,
    fc.record({ type: fc.constant('members-failed'), term, nodes: fc.subarray([...NODES]) }),
  ],
  'member-left': [
    1,
    fc.record(
      {
        type: fc.constant('member-left'),
        node,
        prune: fc.boolean(),
        id: fc.constantFrom(uuid(7), uuid(8)),
        onlyDead: fc.boolean(),
      },
      { requiredKeys: ['type', 'node', 'prune'] },
    ),
  ],
  'notices-begun': [
    1,
    fc.record({
      type: fc.constant('notices-begun'),
      term,
      target: fc.constantFrom('ops', 'chat'),
      services: fc.array(fc.constantFrom(...SERVICES), { maxLength: 3 }),
    }),
  ],
  'notices-told': [
    1,
    fc.record({
      type: fc.constant('notices-told'),
      term,
      target: fc.constantFrom('ops', 'chat'),
      told: fc.array(
        fc.tuple(
          fc.constantFrom(...SERVICES),
          fc.constantFrom('passing', 'warning', 'critical', 'absent'),
        ),
        { maxLength: 3 },
      ),
    }),
  ],
  'reap-members': [
    1,
    fc.record(
      {
        type: fc.constant('reap-members'),
        term,
        nodes: fc.subarray([...NODES]),
        olderThanMs: fc.constantFrom(0, 10_000),
      },
      { requiredKeys: ['type', 'term', 'nodes'] },
    ),
  ],
  ...SETTINGS_KINDS,
  'set-keyring': [
    1,
    fc.constant({ type: 'set-keyring', replaces: 0, keys: [KEY], retired: [], removed: [] }),
  ],
  void: [1, fc.constant({ type: 'void', why: 'nothing of it may be applied' })],
};

const TYPES = Object.keys(KINDS) as Command['type'][];

function commandOf(types: readonly Command['type'][]): fc.Arbitrary<Command> {
  const kinds = types.map((type) => KINDS[type]);
  return fc.oneof(...kinds.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

export interface Step {
  readonly command: Command;
  /** How far the log's clock goes on: now and then past every tombstone and lock-delay. */
  readonly ms: number;
  /** A new epoch begins, and the index jumps. */
  readonly jump: boolean;
  /** The proposal's counter; an old one again is a retry. */
  readonly counter: number | undefined;
}

/** Of these types of command, or whatever the log may bring. */
export function steps(maxLength: number, types = TYPES): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.record({
    command: commandOf(types),
    ms: fc.oneof(fc.nat(5000), fc.constantFrom(0, 20_000, 16 * 60_000)),
    jump: fc.nat(40).map((n) => n === 0),
    counter: fc.option(fc.nat(3), { freq: 12 }).map((n) => n ?? undefined),
  });
  return fc.array(step, { minLength: 1, maxLength, size: 'max' });
}

/** The entries that these steps become: read back from the log's own bytes, chained and dated. */
export function entriesOf(history: readonly Step[]): Entry[] {
  let position = { ...START, t: 1_700_000_000_000 };
  return history.map(({ command, ms, jump, counter }, i) => {
    const id = `boot/${counter ?? i}`;
    const { entry } = nextEntry(position, encodeProposal(id, command), position.t + ms);
    const jumped = { ...entry, epoch: entry.epoch + 1, index: entry.index + 2 ** 20 };
    const next = jump ? jumped : entry;
    position = positionOf(next);
    return next;
  });
}
