/** A leader's duty to whoever is to hear of changes (docs/notices.md): one server tells, and never waits. */
import type { Environment } from '../../lib/child.ts';
import type { NotifyTarget } from '../../lib/config/keys/notify.ts';
import { counter, gauge, type Metric } from '../../lib/metrics/metric.ts';
import { Notices } from '../../lib/notices.ts';
import type { System } from '../../lib/system.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { deliveryTo } from './delivery.ts';
import { Target } from './target.ts';

export interface NotifierDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly system: System;
  readonly self: { readonly id: string; readonly datacenter: string; readonly node: string };
  /** What programs are run with. */
  readonly env: Environment;
}

export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #news: Notices;
  #targets: readonly Target[] = [];
  #ends = new AbortController();
  /** Of targets that are none any more. */
  readonly #before = { sent: 0, failed: 0 };

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    this.#news = new Notices((line) => deps.system.logger.warn(line));
  }

  /** In place of those before. What is under way is broken off, and told again. */
  takeOver(targets: readonly NotifyTarget[]): void {
    for (const { counts } of this.#targets) {
      this.#before.sent += counts.sent;
      this.#before.failed += counts.failed;
    }
    this.stop();
    this.#ends = new AbortController();
    const { state, propose, system, self, env } = this.#deps;
    const news = this.#news;
    this.#targets = targets.map((target) => {
      const deliver = deliveryTo(target, { clock: system.clock, env });
      return new Target({ target, deliver, state, propose, system, news, self });
    });
  }

  /** Every half second while this server leads. */
  async tick(): Promise<void> {
    for (const target of this.#targets) target.look(this.#ends.signal);
  }

  metrics(): readonly Metric[] {
    const sum = (of: 'sent' | 'failed') =>
      this.#targets.reduce((all, { counts }) => all + counts[of], this.#before[of]);
    return [
      counter('proconsul.notify.sent', 'notices that targets have taken', () => sum('sent')),
      counter('proconsul.notify.failed', 'times that one could not be told', () => sum('failed')),
      gauge('proconsul.notify.due', 'services that a target knows otherwise than they are', () =>
        this.#leads ? this.#targets.reduce((all, { due }) => all + due, 0) : 0,
      ),
    ];
  }

  stop(): void {
    this.#ends.abort();
  }

  get #leads(): boolean {
    const { state, self } = this.#deps;
    return state().leadership.server === self.id;
  }
}
