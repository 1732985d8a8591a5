/** Every policy by the name that users give it. */
import { ProconsulError } from '../errors.ts';
import { LeastRequests } from './policies/least-requests.ts';
import { Maglev } from './policies/maglev.ts';
import { RandomDraw } from './policies/random-draw.ts';
import { RingHash } from './policies/ring-hash.ts';
import { RoundRobin } from './policies/round-robin.ts';
import { callsUnderWay, expectedMs, TwoChoices } from './policies/two-choices.ts';
import type { Policy, Scales } from './policy.ts';

const POLICIES = {
  'round-robin': (scales) => new RoundRobin(scales),
  random: (scales) => new RandomDraw(scales),
  'two-choices': (scales) => new TwoChoices(scales, callsUnderWay),
  'least-requests': (scales) => new LeastRequests(scales),
  'peak-ewma': (scales) => new TwoChoices(scales, expectedMs),
  'ring-hash': (scales) => new RingHash(scales),
  maglev: (scales) => new Maglev(scales),
} as const satisfies Record<string, (scales: Scales) => Policy>;

export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

export function policyOf(name: PolicyName, scales: Scales): Policy {
  return POLICIES[name](scales);
}

/** Throws ProconsulError 'invalid' for a name that is none. */
export function policyNamed(name: string): PolicyName {
  const found = POLICY_NAMES.find((each) => each === name);
  if (found !== undefined) return found;
  const known = POLICY_NAMES.join(', ');
  throw new ProconsulError('invalid', `unknown policy "${name}": there are ${known}`);
}
