import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, flag, list, namespace, text } from '../fields.ts';
import { firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';

export interface TerminatingGateway extends ConfigEntryDefinition {
  readonly Services: readonly LinkedService[] | null;
}

interface LinkedService {
  readonly Name?: string;
  readonly CAFile?: string;
  readonly CertFile?: string;
  readonly KeyFile?: string;
  readonly SNI?: string;
}

export const TERMINATING_GATEWAY: Kind<TerminatingGateway> = {
  kind: 'terminating-gateway',
  says: 'which services outside the mesh a gateway stands for',
  changedBy: 'mesh',
  seenBy: 'service',
  fields: {
    ...HEAD,
    Services: always(
      list({
        Name: text,
        Namespace: namespace,
        CAFile: text,
        CertFile: text,
        KeyFile: text,
        SNI: text,
        DisableAutoHostRewrite: flag,
      }),
    ),
    ...META,
  },
  fault: ({ Name, Services }) => {
    if (Name === '') return 'serviceName is required';
    const twice = firstTwice((Services ?? []).map((each) => each.Name ?? ''));
    const fault = firstFault(Services ?? [], serviceFault);
    if (twice === undefined || twice === '') return fault;
    return `Service ${quote(twice)} was specified more than once within a namespace`;
  },
};

function serviceFault({ Name = '', CAFile, CertFile, KeyFile }: LinkedService) {
  if (Name === '') return 'Service name cannot be blank.';
  const isMutual = CertFile !== undefined || KeyFile !== undefined;
  const isWhole = CAFile !== undefined && CertFile !== undefined && KeyFile !== undefined;
  if (!isMutual || isWhole) return undefined;
  return `Service ${quote(Name)} must have a CertFile, CAFile, and KeyFile specified for TLS origination`;
}
