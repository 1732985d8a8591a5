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

/** Another server may know a target that this one does not, while a configuration is rolled out. */
const LEFT_MS = 10 * 60_000;
/** Rows in one entry. */
const AT_ONCE = 100;

export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #news: Notices;
  #targets: readonly Target[] = [];
  #ends = new AbortController();
  /** Monotonic: since when this server leads with these targets. */
  #since: { readonly term: number; readonly at: number } | undefined;
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
    this.#since = undefined;
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
    await this.#tidy();
  }

  /** What targets were told that are none any more, or of services that they no longer ask for. */
  async #tidy(): Promise<void> {
    const { propose, system } = this.#deps;
    const { told, leadership } = this.#deps.state();
    const now = system.clock.monotonic();
    if (this.#since?.term !== leadership.term) this.#since = { term: leadership.term, at: now };
    if (told.size === 0 || now - this.#since.at < LEFT_MS) return;
    const left = [...told.values()].filter((row) => !this.#targets.some((each) => each.keeps(row)));
    const target = left[0]?.Target;
    if (target === undefined) {
      // Looked at again when another such while has passed: there may be many rows.
      this.#since = { term: leadership.term, at: now };
      return;
    }
    const services = left.filter(({ Target: of }) => of === target).slice(0, AT_ONCE);
    await propose({
      type: 'notices-told',
      term: leadership.term,
      target,
      told: services.map(({ Service }) => [Service, 'absent'] as const),
    });
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
