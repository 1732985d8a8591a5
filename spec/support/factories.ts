/** Bodies and commands in which only what a case is about stands out. */
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../../lib/model.ts';
import type { KvOp, Register } from '../../server/commands.ts';

export function nodeNamed(Node: string, over: Partial<NodeDefinition> = {}): NodeDefinition {
  const base = {
    ID: '',
    Address: '10.0.0.1',
    Datacenter: 'dc1',
    TaggedAddresses: null,
    Meta: null,
  };
  return { ...base, Node, ...over };
}

export function serviceNamed(
  Service: string,
  over: Partial<ServiceDefinition> = {},
): ServiceDefinition {
  return {
    Kind: '',
    ID: Service,
    Service,
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Meta: null,
    Port: 80,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: {},
    Connect: {},
    ...over,
  };
}

export function checkNamed(CheckID: string, over: Partial<CheckDefinition> = {}): CheckDefinition {
  const base = { Name: CheckID, Status: 'passing', Notes: '', Output: '', ServiceID: '', Type: '' };
  return { CheckID, Definition: {}, ...base, ...over };
}

export function registerOn(node: string, over: Partial<Register> = {}): Register {
  return { type: 'register', node: nodeNamed(node), skipNodeUpdate: false, checks: [], ...over };
}

export function kvOp(verb: string, key: string, over: Partial<KvOp> = {}): KvOp {
  return { verb, key, value: 'eA==', flags: 0, index: 0, session: '', ...over };
}

/** A body of PUT /v1/catalog/register: an instance of web. */
export function webOn(Node: string, over: object = {}): object {
  return { Node, Address: '10.0.0.1', Service: { ID: 'web1', Service: 'web', Port: 80 }, ...over };
}
