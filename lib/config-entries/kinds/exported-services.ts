import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, list, namespace, text } from '../fields.ts';
import { firstFault, HEAD, type Kind, META } from '../kind.ts';

interface ExportedServices extends ConfigEntryDefinition {
  readonly Services: readonly ExportedService[] | null;
}

interface ExportedService {
  readonly Name: string;
  readonly Consumers: readonly Consumer[] | null;
}

interface Consumer {
  readonly Partition?: string;
  readonly Peer?: string;
  readonly SamenessGroup?: string;
}

export const EXPORTED_SERVICES: Kind<ExportedServices> = {
  kind: 'exported-services',
  says: 'which services other clusters may see',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    Services: always(
      list({
        Name: always(text),
        Namespace: namespace,
        Consumers: always(list({ Partition: text, Peer: text, SamenessGroup: text })),
      }),
    ),
    ...META,
  },
  fault: ({ Name, Services }) => {
    if (Name !== 'default') return 'exported-services Name must be "default"';
    return firstFault(Services ?? [], serviceFault);
  },
};

function serviceFault({ Name, Consumers }: ExportedService, i: number): string | undefined {
  const at = `Services[${i}]`;
  if (Name === '') return `${at}: service name cannot be empty`;
  if ((Consumers ?? []).length === 0) return `${at}: must have at least one consumer`;
  return firstFault(Consumers ?? [], (each, j) => consumerFault(each, `${at}.Consumers[${j}]`));
}

function consumerFault(consumer: Consumer, at: string): string | undefined {
  const said = Object.values(consumer);
  if (said.length !== 1) return `${at}: must define one of Peer, Partition, or SamenessGroup`;
  return said[0] === '*'
    ? `${at}: exporting to all of them (${quote('*')}) is not supported`
    : undefined;
}
