/** Whether instances near a caller come first, as entries say it of a service, or of all. */
import { quote } from '../go-literals.ts';

export interface LocalitySaid {
  readonly PrioritizeByLocality?: { readonly Mode?: string };
}

/** Nearness is that of the zone, and of no region. */
const NEAREST_FIRST = 'failover';
const MODES = ['none', NEAREST_FIRST];
const IN_ORDER = ['default', 'sequential'];

/** The first of those who say something counts. */
export function isNearestFirst(said: readonly (LocalitySaid | undefined)[]): boolean {
  const modes = said.map((each) => each?.PrioritizeByLocality?.Mode ?? '');
  return modes.find((each) => each !== '') === NEAREST_FIRST;
}

export function localityFault({ PrioritizeByLocality: said }: LocalitySaid): string | undefined {
  const { Mode = '' } = said ?? {};
  if (Mode === '' || MODES.includes(Mode)) return undefined;
  return `PrioritizeByLocality.Mode must be one of ${MODES.join(', ')}, and not ${quote(Mode)}`;
}

/** Of targets of a failover: by other rules than their order they are not looked at. */
export function failoverPolicyFault(at: string, said: { readonly Mode?: string } | undefined) {
  const { Mode = '' } = said ?? {};
  if (Mode === '' || IN_ORDER.includes(Mode)) return undefined;
  return `${at}.Mode ${quote(Mode)} is a consul enterprise feature`;
}
