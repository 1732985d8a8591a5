/** Queries of /v1/health. */
import { REFERENCE_BYTES } from '../../lib/json-bytes.ts';
import type { Check } from '../../lib/model.ts';
import { hasMeta } from '../state/catalog.ts';
import {
  fillingOf,
  keepAll,
  keptRows,
  type Narrowing,
  narrowed,
  shown,
  shownRows,
} from './catalog.ts';
import { type Filled, filledWith } from './central-defaults.ts';
import { type Entry, EntryTexts } from './entry-texts.ts';
import { type Checked, forAllChecks, joined } from './listed.ts';
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
    run: (reader) => list(reader, reader.mesh.connectTo(service), { ...n, passing }),
  };
}

export function healthOfIngress(service: string, n: Narrowing, passing: boolean): Query {
  return {
    key: keyOf('health/ingress', service, passing, n.key),
    run: (reader) => list(reader, reader.mesh.ingressTo(service), { ...n, passing }),
  };
}

interface Choice extends Narrowing {
  readonly passing: boolean;
}

function list(reader: Reader, health: Checked, n: Choice): Content {
  const fill = fillingOf(reader, n);
  const entries = orderByNode(reader, n.near, narrowed(health, n)).map((instance) => ({
    instance,
    filled: fill(instance),
    Node: health.nodeOf(instance),
    checks: health.checksOf(instance),
  }));
  const pass = forAllChecks(isPassing);
  const chosen = n.passing ? entries.filter(({ checks }) => pass(checks)) : entries;
  const show = n.keep === keepAll ? written : inFull;
  const bytes = chosen.reduce((sum, each) => sum + bytesOf(each.checks.own), 0);
  return { json: shownRows(chosen, n.keep, show, bytes) };
}

interface FilledEntry extends Entry {
  readonly filled: Filled | undefined;
}

const TEXTS = new EntryTexts();

function written(entry: FilledEntry): unknown {
  // What it is filled in with is none of its rows.
  return entry.filled === undefined ? TEXTS.of(entry, inFull) : inFull(entry);
}

/** Its lists are joined while it is written, and kept by nobody. */
function inFull({ instance, filled, Node, checks }: Entry & Partial<FilledEntry>) {
  return { Node, Service: shown(filledWith(instance, filled)), Checks: joined(checks) };
}

/** Two objects, a place in a list, and a list of its own: all but that list's places. */
const ENTRY_BYTES = 160;

export function bytesOf(checks: readonly Check[]): number {
  return ENTRY_BYTES + checks.length * REFERENCE_BYTES;
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
