/** Queries of /v1/health. */
import type { Check, Instance } from '../../lib/model.ts';
import { hasMeta } from '../state/catalog.ts';
import type { State } from '../state/state.ts';
import {
  connectTopic,
  healthTopic,
  instancesTopic,
  NODES,
  nodeChecksTopic,
  serviceChecksTopic,
  statusTopic,
} from '../state/topic-names.ts';
import { type Narrowing, narrowed, shown } from './catalog.ts';
import { orderByNode } from './order.ts';
import { keyOf, type Query } from './query.ts';

export function healthOfService(service: string, n: Narrowing, passing: boolean): Query {
  return {
    key: keyOf('health/service', service, passing, n.key),
    topics: [healthTopic(service)],
    run: (state) => list(state, state.catalog.instancesOf(service), { ...n, passing }),
  };
}

export function healthOfConnect(service: string, n: Narrowing, passing: boolean): Query {
  return {
    key: keyOf('health/connect', service, passing, n.key),
    topics: [connectTopic(service)],
    run: (state) => list(state, state.catalog.connectTo(service), { ...n, passing }),
  };
}

/** Gateways are not known here: nobody stands in front of a service that way. */
export function healthOfIngress(service: string): Query {
  return {
    key: keyOf('health/ingress', service),
    topics: [instancesTopic(service)],
    run: () => ({ json: [] }),
  };
}

interface Choice extends Narrowing {
  readonly passing: boolean;
}

function list(state: State, instances: Iterable<Instance>, n: Choice) {
  const entries = orderByNode(state, n.near, narrowed(state, instances, n)).map((instance) => ({
    Node: state.catalog.node(instance.Node),
    Service: shown(instance),
    Checks: checksFor(state, instance),
  }));
  const chosen = n.passing ? entries.filter(({ Checks }) => Checks.every(isPassing)) : entries;
  return { json: chosen.filter(n.keep) };
}

/** The checks that count for an instance: its own, and those of its node. */
export function checksFor(state: State, { Node, ID }: Instance): Check[] {
  const { catalog } = state;
  return [...sorted(catalog.checksOf(Node, '')), ...sorted(catalog.checksOf(Node, ID))];
}

function sorted(checks: Iterable<Check>): Check[] {
  return [...checks].sort((a, b) => (a.CheckID < b.CheckID ? -1 : 1));
}

export function isPassing({ Status }: Check): boolean {
  return Status === 'passing';
}

export function checksOfService(service: string, n: Narrowing): Query {
  return {
    key: keyOf('health/checks', service, n.key),
    topics: [serviceChecksTopic(service), ...metaTopics(n)],
    run: (state) => checks(state, state.catalog.checksOfService(service), n),
  };
}

export function checksOfNode(node: string, n: Narrowing): Query {
  return {
    key: keyOf('health/node', node, n.key),
    topics: [nodeChecksTopic(node)],
    run: (state) => checks(state, state.catalog.checksOn(node), n),
  };
}

export function checksInStatus(status: string, n: Narrowing): Query {
  return {
    key: keyOf('health/state', status, n.key),
    topics: [statusTopic(status), ...metaTopics(n)],
    run: (state) => {
      const { catalog } = state;
      const all = status === 'any' ? catalog.checks.values() : catalog.checksInStatus(status);
      return checks(state, all, n);
    },
  };
}

/** A node's meta is no part of its checks: who chooses by it must hear of nodes too. */
function metaTopics(n: Narrowing): string[] {
  return n.nodeMeta.length > 0 ? [NODES] : [];
}

function checks(state: State, all: Iterable<Check>, n: Narrowing) {
  const chosen = [...all].filter(
    (check) => n.nodeMeta.length === 0 || hasMeta(state.catalog.node(check.Node), n.nodeMeta),
  );
  return { json: orderByNode(state, n.near, chosen).filter(n.keep) };
}
