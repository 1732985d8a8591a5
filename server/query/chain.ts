/** The query of /v1/discovery-chain: what calls to a service come to. */

import { LOAD_BALANCER } from '../../lib/config-entries/kinds/service-resolver.ts';
import { ROUTE, type ServiceRoute } from '../../lib/config-entries/kinds/service-router.ts';
import { asShown } from '../../lib/config-entries/shown.ts';
import type { Chain, ChainNode, ChainRequest } from '../chain/chain.ts';
import { compileChain } from '../chain/compile.ts';
import { keyOf, type Query } from './query.ts';

/** Valid until an entry changes that the chain was compiled of, or one comes that was looked for. */
export function discoveryChain(asked: Omit<ChainRequest, 'trustDomain'>): Query {
  return {
    key: keyOf('discovery-chain', JSON.stringify(asked)),
    run: (reader) => {
      const entries = reader.config.chainEntries(asked.service);
      const request = { ...asked, trustDomain: reader.config.trustDomain() };
      return { json: { Chain: shown(compileChain(entries, request)) } };
    },
  };
}

/** Routes stand in it as their entries have them, whose durations are texts to others. */
function shown(chain: Chain) {
  const nodes = Object.entries(chain.Nodes).map(([key, node]) => [key, shownNode(node)]);
  return { ...chain, Nodes: Object.fromEntries(nodes) };
}

function shownNode(node: ChainNode) {
  if (node.Type === 'resolver') {
    const { LoadBalancer } = node;
    if (LoadBalancer === undefined) return node;
    return { ...node, LoadBalancer: asShown(LOAD_BALANCER, { ...LoadBalancer }) };
  }
  if (node.Type !== 'router') return node;
  const Routes = node.Routes.map(({ Definition, NextNode }) => ({
    Definition: shownRoute(Definition),
    NextNode,
  }));
  return { ...node, Routes };
}

function shownRoute(route: ServiceRoute) {
  return asShown(ROUTE, { ...route });
}
