/** Queries of /v1/health. */
import { REFERENCE_BYTES } from '../../lib/json-bytes.ts';
import type { Check } from '../../lib/model.ts';
import { hasMeta } from '../state/catalog.ts';
import { keptRows, type Narrowing, narrowed, shown, shownRows } from './catalog.ts';
import type { Checked } from './listed.ts';
import { orderByNode } from './order.ts';
import { type Content, keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function healthOfService(service: string, n: Narrowing, passing: boolean): Query {
  return {
    key: keyOf('health/service', service, passing, n.key),
    run: (reader) => list(reader, reader.healthOf(service), { ...n, passing }),
  };
}

export function healthOfConnect(service: string, n: Narrowing, passing: boolean): Query {
  return {
    key: keyOf('health/connect', service, passing, n.key),
    run: (reader) => list(reader, reader.connectTo(service), { ...n, passing }),
  };
}

/** Gateways are not known here: nobody stands in front of a service that way. */
export function healthOfIngress(service: string): Query {
  return {
    key: keyOf('health/ingress', service),
    run: (reader) => {
      // Its index is that of the service, as in Consul.
      reader.instancesOf(service);
      return { json: [] };
    },
  };
}

interface Choice extends Narrowing {
  readonly passing: boolean;
}

function list(reader: Reader, health: Checked, n: Choice): Content {
  const entries = orderByNode(reader, n.near, narrowed(health, n)).map((instance) => ({
    instance,
    Node: health.nodeOf(instance),
    Checks: health.checksFor(instance),
  }));
  const chosen = n.passing ? entries.filter(({ Checks }) => Checks.every(isPassing)) : entries;
  const show = ({ instance, Node, Checks }: (typeof chosen)[number]) => ({
    Node,
    Service: shown(instance),
    Checks,
  });
  return { json: shownRows(chosen, n.keep, show, bytesOf(chosen)) };
}

/** An object of three fields, its place in a list, and a list of its own: all but that list's places. */
const ENTRY_BYTES = 112;

/** A node's checks stand with each of its instances: of thousands of either they are most of it. */
export function bytesOf(entries: readonly { readonly Checks: readonly Check[] }[]): number {
  return entries.reduce(
    (sum, { Checks }) => sum + ENTRY_BYTES + Checks.length * REFERENCE_BYTES,
    0,
  );
}

function isPassing({ Status }: Check): boolean {
  return Status === 'passing';
}

export function checksOfService(service: string, n: Narrowing): Query {
  return {
    key: keyOf('health/checks', service, n.key),
    run: (reader) => checks(reader, reader.checksOfService(service), n),
  };
}

export function checksOfNode(node: string, n: Narrowing): Query {
  return {
    key: keyOf('health/node', node, n.key),
    run: (reader) => checks(reader, reader.checksOn(node), n),
  };
}

export function checksInStatus(status: string, n: Narrowing): Query {
  return {
    key: keyOf('health/state', status, n.key),
    run: (reader) => checks(reader, reader.checksIn(status), n),
  };
}

function checks(reader: Reader, all: Iterable<Check>, n: Narrowing): Content {
  const chosen = [...all].filter(
    (check) => n.nodeMeta.length === 0 || hasMeta(reader.nodeOfMany(check.Node), n.nodeMeta),
  );
  return { json: keptRows(orderByNode(reader, n.near, chosen), n.keep) };
}
