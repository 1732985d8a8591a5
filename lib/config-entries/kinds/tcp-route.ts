import { references } from '../api-gateways.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { list, namespace, text } from '../fields.ts';
import { firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';

interface TcpRoute extends ConfigEntryDefinition {
  readonly Parents?: readonly RouteParent[];
  readonly Services?: readonly { readonly Name?: string }[];
}

export interface RouteParent {
  readonly Kind?: string;
  readonly Name?: string;
}

export const TCP_ROUTE: Kind<TcpRoute> = {
  kind: 'tcp-route',
  says: 'where connections go that come to a listener of an API gateway',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    Parents: references,
    Services: list({ Name: text, Namespace: namespace, Partition: namespace }),
    ...META,
  },
  fault: ({ Name, Parents, Services = [] }) => {
    if (Name === '') return 'Name is required';
    if (Services.length > 1) return 'tcp-route currently only supports one service';
    if (Services.some((each) => (each.Name ?? '') === '')) return 'Service must have a name';
    return parentsFault(Parents);
  },
};

/** Only gateways have routes. */
export function parentsFault(parents: readonly RouteParent[] = []): string | undefined {
  const twice = firstTwice(parents.map((each) => JSON.stringify(each)));
  if (twice !== undefined) return 'route parents must be unique';
  return firstFault(parents, ({ Kind: kind = 'api-gateway', Name = '' }) => {
    if (kind !== 'api-gateway')
      return `unsupported parent kind: ${JSON.stringify(kind)}, must be 'api-gateway'`;
    return Name === '' ? 'parent must have a name' : undefined;
  });
}
