import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, fraction, list, namespace, text } from '../fields.ts';
import { eachOf, firstTwice, HEAD, type Kind, META } from '../kind.ts';
import { type HeaderChanges, headers } from '../proxying.ts';

export interface ServiceSplitter extends ConfigEntryDefinition {
  readonly Splits: readonly Split[] | null;
}

export interface Split {
  /** In percent, with two digits behind the point. */
  readonly Weight: number;
  readonly Service?: string;
  readonly ServiceSubset?: string;
  readonly Namespace?: string;
  readonly RequestHeaders?: HeaderChanges;
  readonly ResponseHeaders?: HeaderChanges;
}

/** Weights are counted in hundredths of a percent. */
const PARTS = 100;
const WHOLE = 100 * PARTS;

export const SERVICE_SPLITTER: Kind<ServiceSplitter> = {
  kind: 'service-splitter',
  says: 'which part of the calls to a service goes where',
  changedBy: 'service',
  seenBy: 'service',
  fields: {
    ...HEAD,
    Splits: always(
      list({
        Weight: always(fraction),
        Service: text,
        ServiceSubset: text,
        Namespace: namespace,
        Partition: namespace,
        RequestHeaders: headers,
        ResponseHeaders: headers,
      }),
    ),
    ...META,
  },
  normal: (entry) => ({
    ...entry,
    Splits: eachOf(entry.Splits, (each) => ({ ...each, Weight: weightOf(inParts(each)) })),
  }),
  fault: faultOf,
  refersTo: ({ Splits }) => (Splits ?? []).flatMap(({ Service }) => Service ?? []),
};

export function inParts({ Weight }: Split): number {
  return Math.round(Weight * PARTS);
}

export function weightOf(parts: number): number {
  return parts / PARTS;
}

function faultOf({ Name, Splits }: ServiceSplitter): string | undefined {
  if (Name === '') return 'Name is required';
  const splits = Splits ?? [];
  if (splits.length === 0) return 'no splits configured';
  const twice = firstTwice(
    splits.map(({ Service = Name, ServiceSubset = '' }) =>
      JSON.stringify([Service, ServiceSubset]),
    ),
  );
  if (twice !== undefined) {
    const [service, subset] = JSON.parse(twice) as [string, string];
    return `split destination occurs more than once: service=${quote(service)}, subset=${quote(subset)}, namespace=""`;
  }
  const sum = splits.reduce((total, each) => total + inParts(each), 0);
  if (sum === WHOLE) return undefined;
  return `the sum of all split weights must be 100, not ${(sum / PARTS).toFixed(6)}`;
}
