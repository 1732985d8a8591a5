/** What the instances of a service come to, and why. */
import { type Aggregate, aggregateStatus } from '../../lib/aggregate-status.ts';
import type { Check, Instance } from '../../lib/model.ts';
import type { ServiceStatus } from '../notice-commands.ts';
import type { State } from '../state/state.ts';

/** Named in a notice; of more there is only the number. */
const MAX_FAILING = 10;
const MAX_OUTPUT_CHARS = 200;

export interface Failing {
  readonly Node: string;
  readonly ServiceID: string;
  readonly Status: Aggregate;
  readonly CheckID: string;
  /** The first line. */
  readonly Output: string;
}

export interface ServiceHealth {
  readonly status: ServiceStatus;
  readonly total: number;
  /** How many pass all checks. */
  readonly passing: number;
  readonly failing: readonly Failing[];
}

/** Passing where all instances are, critical where none can be served, and warning between. */
export function serviceHealth({ catalog }: State, service: string): ServiceHealth {
  let total = 0;
  let passing = 0;
  let served = 0;
  const failing: Failing[] = [];
  for (const instance of catalog.instancesOf(service)) {
    const checksOf = catalog.checksOfEach(instance.Node);
    const checks = [...checksOf(''), ...checksOf(instance.ID)];
    const status = aggregateStatus(checks);
    total++;
    if (status === 'passing') passing++;
    else if (failing.length < MAX_FAILING) failing.push(failingOf(instance, status, checks));
    if (status === 'passing' || status === 'warning') served++;
  }
  return { status: statusOf(total, passing, served), total, passing, failing };
}

function statusOf(total: number, passing: number, served: number): ServiceStatus {
  if (total === 0) return 'absent';
  if (passing === total) return 'passing';
  return served === 0 ? 'critical' : 'warning';
}

function failingOf({ Node, ID }: Instance, Status: Aggregate, checks: readonly Check[]): Failing {
  const bad = checks.filter((check) => check.Status !== 'passing');
  const worst = bad.find((check) => check.Status === 'critical') ?? bad[0];
  const [line = ''] = (worst?.Output ?? '').split('\n', 1);
  const Output = line.slice(0, MAX_OUTPUT_CHARS);
  return { Node, ServiceID: ID, Status, CheckID: worst?.CheckID ?? '', Output };
}
