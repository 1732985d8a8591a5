/** What Prometheus discovers over HTTP: the targets and labels that its own discovery by Consul makes. */
import { aggregateStatus } from '../../lib/aggregate-status.ts';
import { hostPort } from '../../lib/ip.ts';
import { Rows } from '../../lib/json-bytes.ts';
import type { Check, Instance, Node, StringMap } from '../../lib/model.ts';
import { type Narrowing, narrowed, shown } from './catalog.ts';
import { bytesOf } from './health.ts';
import { type Checked, joined } from './listed.ts';
import { orderByNode } from './order.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

/** Of these services, or where none is named of all. */
export function prometheusTargets(services: readonly string[], n: Narrowing): Query {
  return {
    key: keyOf('prometheus/sd', JSON.stringify(services), n.key),
    run: (reader) => {
      const found = healthOf(reader, services).flatMap((health) =>
        orderByNode(reader, n.near, narrowed(health, n)).map((instance) => ({
          instance,
          node: health.nodeOf(instance),
          both: health.checksOf(instance),
        })),
      );
      const show = ({ instance, node, both }: (typeof found)[number]) => {
        const Checks = joined(both);
        const isKept = n.keep({ Node: node, Service: shown(instance), Checks });
        return isKept && node !== undefined ? group({ instance, node, checks: Checks }) : undefined;
      };
      const bytes = found.reduce((sum, { both }) => sum + bytesOf(both.own), 0);
      return { json: Rows.of(found, show, bytes) };
    },
  };
}

function healthOf(reader: Reader, services: readonly string[]): Checked[] {
  return services.length === 0 ? [reader.health()] : services.map((name) => reader.healthOf(name));
}

interface Found {
  readonly instance: Instance;
  readonly node: Node;
  readonly checks: readonly Check[];
}

function group({ instance, node, checks }: Found) {
  const { ID, Service, Address, Port, Tags, Meta } = instance;
  return {
    targets: [hostPort(Address === '' ? node.Address : Address, Port)],
    labels: {
      __meta_consul_address: node.Address,
      __meta_consul_dc: node.Datacenter,
      __meta_consul_health: aggregateStatus(checks),
      __meta_consul_node: node.Node,
      __meta_consul_service: Service,
      __meta_consul_service_address: Address,
      __meta_consul_service_id: ID,
      __meta_consul_service_port: String(Port),
      // Commas on both sides, so that a rule can look for ",tag,".
      __meta_consul_tags: `,${Tags.join(',')},`,
      ...labels('__meta_consul_metadata_', node.Meta),
      ...labels('__meta_consul_tagged_address_', node.TaggedAddresses),
      ...labels('__meta_consul_service_metadata_', Meta),
    },
  };
}

function labels(prefix: string, pairs: StringMap | null): StringMap {
  const entries = Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, value]) => [`${prefix}${name.replace(/[^a-zA-Z0-9_]/g, '_')}`, value]),
  );
}
