/** What an agent is to join where retry_join names a place to look in, and not an address. */
import type { Environment } from '../../lib/child.ts';
import type { Clock } from '../../lib/clock.ts';

const IN_KUBERNETES = /\bprovider=k8s\b/;

export function joinAddresses(env: Environment, clock: Clock) {
  return async (address: string): Promise<readonly string[]> => {
    if (!IN_KUBERNETES.test(address)) return [address];
    // Nobody else needs what asks there.
    const { podAddresses } = await import('../../kubernetes/discover.ts');
    const { signal } = new AbortController();
    return await podAddresses(address, { env, clock, signal });
  };
}
