/**
 * What the servers do for nodes that have no agent: they keep the time of their TTL checks, take out what
 * stays critical for too long, and look at the checks of external ones.
 */
import type { Check } from '../../lib/model.ts';
import type { System } from '../../lib/system.ts';
import { CheckLeases } from '../cluster/check-leases.ts';
import { CriticalLeases } from '../cluster/critical-leases.ts';
import type { LeaseKind } from '../cluster/keeper.ts';
import type { Duty } from '../cluster/leader.ts';
import type { Command } from '../commands.ts';
import type { Leases } from '../leases.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { rowKey } from '../state/topic-names.ts';
import { Findings } from './findings.ts';
import type { Lookout } from './lookout.ts';
import { OutputPace } from './output-pace.ts';
import { Prober } from './prober.ts';

export interface AgentlessDeps {
  readonly server: string;
  readonly leases: Leases;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly system: System;
  readonly rules: AgentlessRules;
  /** How long an external node may not be reached before it goes. */
  readonly nodeMs: number;
}

export interface AgentlessRules {
  /** How often an output is written whose status stays. */
  readonly outputMs: number;
  /** The least that a check may say of how long it may be critical. */
  readonly deregisterMinMs: number;
  /** Without one this server looks at nothing outside. */
  readonly lookout?: Lookout | undefined;
}

/** What is done with a report, beside writing what it changes. */
export interface Reporting {
  /** A TTL check was reported: it has its whole time again. */
  renew(check: Check): Promise<void>;
  /** Whether its output may be written where its status stays. */
  allowsOutput(check: Check): boolean;
}

export class Agentless {
  readonly reporting: Reporting;
  /** What the leader keeps for them, and does. */
  readonly kinds: readonly LeaseKind[];
  readonly duties: readonly Duty[];
  readonly #prober: Prober | undefined;

  constructor({ server, leases, state, propose, system, rules, nodeMs }: AgentlessDeps) {
    const { clock, logger } = system;
    const { outputMs, deregisterMinMs: minMs, lookout } = rules;
    const times = { minMs, nodeMs };
    const checks = new CheckLeases({ leases, state, propose, clock, logger });
    const critical = new CriticalLeases({ leases, state, propose, logger, times });
    this.kinds = [checks, critical];
    this.duties = [critical];
    const pace = new OutputPace(clock, outputMs);
    this.reporting = {
      renew: (check) => checks.renew(check),
      allowsOutput: ({ Node, CheckID }) => pace.allows(rowKey(Node, CheckID)),
    };
    if (lookout === undefined) return;
    const findings = new Findings({ state, propose, clock, logger, outputMs });
    this.#prober = new Prober({ server, state, leases, findings, lookout, clock, logger });
  }

  /** How many checks of external nodes this server looks at. */
  get watched(): number {
    return this.#prober?.size ?? 0;
  }

  /** Once the state is whole. */
  start(): void {
    this.#prober?.start();
  }

  stop(): void {
    this.#prober?.stop();
  }
}
