/**
 * Keeps one target's picture of the services true. What it was told stands in the state, by the log; what
 * differs from that, and has stood still for a while, is told, and then written there. So there is no queue
 * that could overflow or be lost: a target that cannot be reached is told how things are once it can, and a
 * new leader goes on from what the log says was told.
 *
 * Before it is told, the log says that what it knows is in doubt from now on; whatever is in doubt is told, also
 * where it stands as it did before. So no answer that is lost, and no leader that ends, leaves it in error.
 */

import type { NotifyTarget } from '../../lib/config/keys/notify.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Notices } from '../../lib/notices.ts';
import { retryMs } from '../../lib/retries.ts';
import type { System } from '../../lib/system.ts';
import type { Command } from '../commands.ts';
import type { NoticesBegun, NoticesTold, ServiceStatus, ToldRow } from '../notice-commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { toldKey } from '../state/told.ts';
import { CATALOG, fold, healthTopic } from '../state/topic-names.ts';
import type { Deliver } from './delivery.ts';
import { ALERT_ENDS_MS, type Notice, occasionsOf, type Sender } from './notice.ts';
import { serviceHealth } from './service-health.ts';
import { type Told, tellEach } from './telling.ts';

/** In one message, and in one entry. */
const AT_ONCE = 100;
/** What changes so often that it never stands still is told after so many times as long all the same. */
const PATIENCE = 6;
/** Alertmanager wants to hear of what goes on. */
const REPEAT_MS = ALERT_ENDS_MS / 4;

export interface TargetDeps {
  readonly target: NotifyTarget;
  readonly deliver: Deliver;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly system: System;
  readonly news: Notices;
  readonly self: Omit<Sender, 'now'>;
}

/** How a service stands, where that is not what the target knows, or was not a moment ago. */
interface Difference {
  readonly service: string;
  status: ServiceStatus;
  /** Monotonic: since when it stands so, and since when it has been moving. */
  since: number;
  readonly first: number;
  changes: number;
  /** The target does not take what it is told of it. */
  refused: boolean;
  /** For sure, each time: the doubt in the log is none. */
  isUntold: boolean;
}

export class Target {
  readonly #deps: TargetDeps;
  readonly #wants: (service: string) => boolean;
  /** By folded name, as the next two. */
  readonly #differs = new Map<string, Difference>();
  /** The index at which each was last looked at. */
  readonly #looked = new Map<string, number>();
  /** Told by this leader, and not in the log yet. */
  readonly #told = new Map<string, ServiceStatus>();
  #catalogIndex = 0;
  #term = 0;
  #busy = false;
  /** In a row: of the target, and of what it has refused before, which holds up nothing else. */
  readonly #tries = { all: { failures: 0, at: 0 }, refused: { failures: 0, at: 0 } };
  #repeatAt = 0;
  /** How many notices it got, and how often it could not be told. */
  readonly counts = { sent: 0, failed: 0 };

  constructor(deps: TargetDeps) {
    this.#deps = deps;
    this.#wants = matching(deps.target.services);
  }

  /** How many services it knows otherwise than they are. */
  get due(): number {
    return this.#differs.size;
  }

  /** Whether what it was told of the service is of any use: rows of others are leftovers. */
  keeps({ Target: name, Service }: ToldRow): boolean {
    return name === this.#deps.target.name && this.#wants(Service);
  }

  /** Called every half second while this server leads; it begins what is due, and waits for nothing. */
  look(signal: AbortSignal): void {
    const state = this.#deps.state();
    const now = this.#deps.system.clock.monotonic();
    if (state.leadership.term !== this.#term) this.#begin(state.leadership.term);
    this.#compare(state, now);
    // What is being told must not be dropped meanwhile: how it stands may be what the target knew before.
    if (this.#busy) return;
    this.#settle(state, now);
    if (now < this.#tries.all.at) return;
    const due = this.#due(now);
    const isIdle = due.length === 0 && this.#told.size === 0;
    // Rows alone are repeated, and say nothing of what is not written yet.
    const repeats = isIdle && this.#repeats(now);
    if (isIdle && !repeats) return;
    this.#busy = true;
    const done = repeats ? this.#repeat(signal) : this.#tell(due.slice(0, AT_ONCE), signal);
    void done.finally(() => {
      this.#busy = false;
    });
  }

  /** What an earlier leader had in its memory is looked at anew. */
  #begin(term: number): void {
    this.#term = term;
    this.#differs.clear();
    this.#looked.clear();
    this.#told.clear();
    this.#catalogIndex = 0;
  }

  #compare(state: State, now: number): void {
    const index = state.topics.indexOf(CATALOG);
    if (index === this.#catalogIndex) return;
    this.#catalogIndex = index;
    const gone = new Set(this.#looked.keys());
    for (const service of this.#services(state)) {
      const key = fold(service);
      gone.delete(key);
      const at = state.topics.indexOf(healthTopic(service));
      if (this.#looked.get(key) === at) continue;
      this.#looked.set(key, at);
      this.#seen(state, service, now);
    }
    // Neither there nor known to the target any more.
    for (const key of gone) this.#looked.delete(key);
  }

  /** Those that there are, and those that the target knows. */
  *#services(state: State): Iterable<string> {
    for (const [name] of state.catalog.serviceNames.entries()) if (this.#wants(name)) yield name;
    for (const { Target: target, Service } of state.told.values()) {
      if (target === this.#deps.target.name && this.#wants(Service)) yield Service;
    }
    for (const { service } of this.#differs.values()) yield service;
  }

  #seen(state: State, service: string, now: number): void {
    const { status } = serviceHealth(state, service);
    const difference = this.#differs.get(fold(service));
    if (difference === undefined) {
      if (status === this.#known(state, service) && !this.#isInDoubt(state, service)) return;
      const since = { since: now, first: now, changes: 1 };
      const untried = { refused: false, isUntold: false };
      this.#differs.set(fold(service), { service, status, ...since, ...untried });
    } else if (difference.status !== status) {
      difference.status = status;
      difference.since = now;
      difference.changes++;
    }
  }

  /** What came and went, and stands as the target surely knows it, is no news. */
  #settle(state: State, now: number): void {
    for (const each of this.#differs.values()) {
      const { service, since, status, isUntold } = each;
      if (now - since < this.#deps.target.debounceMs) continue;
      if (status !== this.#known(state, service) || this.#isInDoubt(state, service)) continue;
      if (isUntold) this.#told.set(fold(service), status);
      this.#drop(each);
    }
  }

  #known(state: State, service: string): ServiceStatus {
    return this.#told.get(fold(service)) ?? this.#row(state, service)?.Status ?? 'absent';
  }

  #isInDoubt(state: State, service: string): boolean {
    const key = fold(service);
    if (this.#told.has(key) || this.#differs.get(key)?.isUntold === true) return false;
    return this.#row(state, service)?.Doubt === true;
  }

  #row(state: State, service: string): ToldRow | undefined {
    return state.told.get(toldKey(this.#deps.target.name, service));
  }

  /** Those that were refused before are tried by themselves, and when nothing else is to be told. */
  #due(now: number): readonly Difference[] {
    const due = [...this.#differs.values()].filter((each) => this.#isDue(each, now));
    const others = due.filter(({ refused }) => !refused);
    if (others.length > 0) return others;
    return now < this.#tries.refused.at ? [] : due;
  }

  #isDue({ since, first }: Difference, now: number): boolean {
    const { debounceMs } = this.#deps.target;
    return now - since >= debounceMs || now - first >= debounceMs * PATIENCE;
  }

  async #tell(due: readonly Difference[], signal: AbortSignal): Promise<void> {
    const term = this.#term;
    // First what was told before: written later it would take away the doubt of what is told now.
    if (!(await this.#write())) return;
    const state = this.#deps.state();
    const all = due.map((each) => this.#notice(state, each));
    const wanted = all.filter(({ occasion }) => occasion !== undefined);
    if (!(await this.#begun(state, wanted)) || signal.aborted || term !== this.#term) return;
    const { taken, refused, isSure, failure } = await this.#deliver(wanted, signal);
    // A new term, also of this server's own, has begun with the doubt.
    if (signal.aborted || term !== this.#term) return;
    this.#succeeded(taken.length);
    for (const notice of all) if (notice.occasion === undefined) this.#knows(notice);
    for (const notice of taken) this.#knows(notice);
    for (const [{ service, isInDoubt }, why] of refused) {
      this.#refused(service, why, isSure && !isInDoubt);
    }
    if (refused.length > 0) this.#putOff(this.#tries.refused);
    if (failure !== undefined) this.#failed(failure);
    await this.#write();
  }

  #knows({ service, health, changes }: Notice): void {
    this.#told.set(fold(service), health.status);
    this.#clear(service);
    const each = this.#differs.get(fold(service));
    // What has changed while it was told is still to be told.
    if (each?.changes === changes && each.status === health.status) this.#drop(each);
  }

  /** Whether the log has them in doubt: whoever leads next must know that the target may have taken them. */
  async #begun(state: State, wanted: readonly Notice[]): Promise<boolean> {
    const names = wanted.map(({ service }) => service);
    const services = names.filter((service) => this.#row(state, service)?.Doubt !== true);
    const { target } = this.#deps;
    const of = { term: this.#term, target: target.name };
    if (services.length > 0 && !(await this.#log({ type: 'notices-begun', ...of, services }))) {
      return false;
    }
    for (const name of names) {
      const each = this.#differs.get(fold(name));
      if (each !== undefined) each.isUntold = false;
    }
    return true;
  }

  #deliver(notices: readonly Notice[], signal: AbortSignal): Promise<Told> {
    const { deliver } = this.#deps;
    return tellEach(notices, (part) => deliver(part, this.#sender(), signal));
  }

  #notice(state: State, { service, changes }: Difference): Notice {
    const { on } = this.#deps.target;
    const [from, isInDoubt] = [this.#known(state, service), this.#isInDoubt(state, service)];
    const health = serviceHealth(state, service);
    const occasion = occasionsOf(from, health.status, isInDoubt).find((each) => on.includes(each));
    return { service, from, isInDoubt, health, occasion, changes, index: state.index };
  }

  /** An entry that cannot be written now is written with the next look: nothing is told twice for it. */
  async #write(): Promise<boolean> {
    const { target } = this.#deps;
    while (this.#told.size > 0) {
      const told = [...this.#told].slice(0, AT_ONCE);
      const of = { term: this.#term, target: target.name };
      if (!(await this.#log({ type: 'notices-told', ...of, told }))) return false;
      for (const [service, status] of told) {
        if (this.#told.get(service) === status) this.#told.delete(service);
      }
    }
    return true;
  }

  async #log(command: NoticesBegun | NoticesTold): Promise<boolean> {
    const { propose, system } = this.#deps;
    try {
      return (await propose(command)).applied;
    } catch (error) {
      system.logger.debug(`notify: ${command.type} is not written: ${describeChain(error)}`);
      return false;
    }
  }

  #repeats(now: number): boolean {
    const { way } = this.#deps.target;
    return way.kind === 'alertmanager' && now >= this.#repeatAt;
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    const { target, state: current, system } = this.#deps;
    this.#repeatAt = system.clock.monotonic() + REPEAT_MS;
    const state = current();
    const going = [...state.told.values()].filter(
      (row) =>
        row.Target === target.name &&
        (row.Status === 'warning' || row.Status === 'critical') &&
        target.on.includes(row.Status) &&
        !this.#isInDoubt(state, row.Service),
    );
    const notices = going.map(({ Service, Status }) => ({
      service: Service,
      from: Status,
      isInDoubt: false,
      health: { ...serviceHealth(state, Service), status: Status },
      occasion: undefined,
      changes: 0,
      index: state.index,
    }));
    for (let at = 0; at < notices.length; at += AT_ONCE) {
      const { failure } = await this.#deliver(notices.slice(at, at + AT_ONCE), signal);
      if (signal.aborted) return;
      if (failure === undefined) continue;
      this.#failed(failure);
      return;
    }
  }

  #sender(): Sender {
    return { ...this.#deps.self, now: this.#deps.system.clock.now() };
  }

  #failed(error: unknown): void {
    const { target, news } = this.#deps;
    this.#putOff(this.#tries.all);
    const why = describeChain(error);
    news.tell(target.name, `notify: ${target.name} cannot be told, and is tried again: ${why}`);
  }

  #refused(service: string, error: unknown, isSure: boolean): void {
    const { target, news } = this.#deps;
    const each = this.#differs.get(fold(service));
    if (each === undefined) return;
    each.refused = true;
    each.isUntold = isSure;
    // Behind the others, where there are more than are tried at once.
    this.#differs.delete(fold(service));
    this.#differs.set(fold(service), each);
    const why = describeChain(error);
    const said = `${target.name} cannot be told of ${service}, and is tried again: ${why}`;
    news.tell(aboutOf(target, service), `notify: ${said}`);
  }

  #putOff(tries: { failures: number; at: number }): void {
    const { clock, random } = this.#deps.system;
    this.counts.failed++;
    tries.failures++;
    tries.at = clock.monotonic() + retryMs(tries.failures, random);
  }

  #succeeded(sent: number): void {
    if (sent === 0) return;
    const { target, system, news } = this.#deps;
    this.counts.sent += sent;
    this.#tries.all.failures = 0;
    if (news.clear(target.name)) {
      system.logger.info('notify: told again', { target: target.name });
    }
  }

  #clear(service: string): void {
    const { target, system, news } = this.#deps;
    if (news.clear(aboutOf(target, service))) {
      system.logger.info('notify: told again', { target: target.name, service });
    }
  }

  /** It is as the target knows it. */
  #drop({ service }: Difference): void {
    this.#differs.delete(fold(service));
    this.#deps.news.clear(aboutOf(this.#deps.target, service));
    if (![...this.#differs.values()].some(({ refused }) => refused)) {
      this.#tries.refused.failures = 0;
    }
  }
}

function aboutOf({ name }: NotifyTarget, service: string): string {
  return `${name} ${fold(service)}`;
}

function matching(patterns: readonly string[]): (service: string) => boolean {
  const names = new Set(patterns.filter((each) => !each.endsWith('*')).map(fold));
  const prefixes = patterns.filter((each) => each.endsWith('*')).map((p) => fold(p.slice(0, -1)));
  return (service) => {
    const name = fold(service);
    return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  };
}
