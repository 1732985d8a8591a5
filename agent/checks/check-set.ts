/** All checks of an agent while they run: what looks, what waits for reports, what follows others. */
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';
import type { Random } from '../../lib/random.ts';
import { type CheckSpec, checkType } from '../definitions/check-spec.ts';
import type { LocalCheck, LocalState } from '../state/local-state.ts';
import { aliasLook } from './alias.ts';
import { CheckRunner } from './check-runner.ts';
import { critical, type Look, type Probe } from './probe.ts';
import { type ContainerProbe, intervalMs, probeOf, timeoutMs } from './probe-of.ts';
import { Threshold } from './threshold.ts';
import { TtlCheck } from './ttl-check.ts';

export interface CheckSetOptions {
  readonly local: LocalState;
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxOutputBytes: number;
  /** What checks say is not kept: only how they stand. */
  readonly discardOutput: boolean;
  readonly containerProbe: ContainerProbe | undefined;
  /** The checks of another node, for aliases of it; undefined when there is no such node. */
  readonly checksOfNode: (node: string) => Promise<readonly CheckDefinition[] | undefined>;
}

/** How often an alias of another node looks there. */
const REMOTE_ALIAS_MS = 10_000;

interface Alias {
  readonly id: string;
  readonly service: string;
}

export class CheckSet {
  readonly #options: CheckSetOptions;
  readonly #runners = new Map<string, CheckRunner>();
  readonly #ttls = new Map<string, TtlCheck>();
  readonly #aliases = new Map<string, Alias>();
  /** By the service that they follow: there may be as many as services, one for each sidecar. */
  readonly #followers = new Map<string, Set<Alias>>();
  readonly #stopObserving: () => void;

  constructor(options: CheckSetOptions) {
    this.#options = options;
    this.#stopObserving = options.local.observe({
      serviceChanged: (id) => this.#follow(id),
      checkChanged: (id, serviceId) => {
        // An alias of the node's own is heeded by none.
        if (serviceId !== '' || !this.#aliases.has(id)) this.#follow(serviceId);
      },
    });
  }

  /** Begins with a check; one that runs under this id ends. `leftMs`: of its TTL, at a restart. */
  start(check: LocalCheck, leftMs?: number): void {
    const { CheckID } = check.definition;
    const { spec } = check;
    this.remove(CheckID);
    if (spec === undefined) return;
    if (spec.TTL > 0) this.#startTtl(CheckID, spec.TTL / NS_PER_MS, leftMs);
    else if (checkType(spec) === 'alias') this.#startAlias(CheckID, spec);
    else this.#startRunner(check, spec);
  }

  /** Ends it; nothing more is heard of it. */
  remove(id: string): void {
    this.#runners.get(id)?.stop();
    this.#ttls.get(id)?.stop();
    this.#runners.delete(id);
    this.#ttls.delete(id);
    const alias = this.#aliases.get(id);
    if (alias !== undefined) this.#unfollow(alias);
  }

  /** What a client reports of a TTL check. */
  report(id: string, status: CheckStatus, output: string): void {
    const ttl = this.#ttls.get(id);
    if (ttl === undefined) {
      throw new ProconsulError('rejected', `CheckID "${id}" does not have associated TTL`);
    }
    ttl.renew();
    this.#found(id, { status, output: this.#cut(output) });
  }

  /** How much of its TTL is left; undefined for another kind of check. */
  leftMs(id: string): number | undefined {
    return this.#ttls.get(id)?.leftMs;
  }

  get counts(): { readonly ttls: number; readonly monitors: number } {
    return { ttls: this.#ttls.size, monitors: this.#runners.size };
  }

  stop(): void {
    this.#stopObserving();
    for (const runner of this.#runners.values()) runner.stop();
    for (const ttl of this.#ttls.values()) ttl.stop();
    this.#runners.clear();
    this.#ttls.clear();
    this.#aliases.clear();
    this.#followers.clear();
  }

  #cut(output: string): string {
    const max = this.#options.maxOutputBytes;
    if (output.length <= max) return output;
    return `${output.slice(0, max)} ... (captured ${max} of ${output.length} bytes)`;
  }

  #startTtl(id: string, ttlMs: number, leftMs: number | undefined): void {
    const { clock } = this.#options;
    const ttl = new TtlCheck(clock, ttlMs, () => this.#found(id, critical('TTL expired')));
    this.#ttls.set(id, ttl);
    ttl.start(leftMs);
  }

  #startRunner({ definition, source }: LocalCheck, spec: CheckSpec): void {
    const { maxOutputBytes, containerProbe } = this.#options;
    const context = { maxOutputBytes, containerProbe, untrusted: source === 'api' };
    const probe = probeOf(spec, context);
    if (probe === undefined) return;
    const threshold = new Threshold(spec);
    this.#run(definition.CheckID, probe, {
      intervalMs: intervalMs(spec),
      timeoutMs: timeoutMs(spec),
      judge: (look) => threshold.take(look),
    });
  }

  #startAlias(id: string, { AliasNode, AliasService }: CheckSpec): void {
    if (AliasNode === '' || AliasNode === this.#options.node) {
      const alias = { id, service: AliasService };
      this.#aliases.set(id, alias);
      const followers = this.#followers.get(AliasService) ?? new Set();
      this.#followers.set(AliasService, followers.add(alias));
      this.#update(alias);
      return;
    }
    const probe = async (): Promise<Look> => {
      const checks = await this.#options.checksOfNode(AliasNode);
      if (checks === undefined) return critical(`Node ${AliasNode} could not be found`);
      const of = checks.filter((c) => c.ServiceID === '' || c.ServiceID === AliasService);
      return aliasLook(of, '');
    };
    const interval = REMOTE_ALIAS_MS;
    this.#run(id, probe, { intervalMs: interval, timeoutMs: interval, judge: (look) => look });
  }

  #run(
    id: string,
    probe: Probe,
    timing: {
      readonly intervalMs: number;
      readonly timeoutMs: number;
      readonly judge: (look: Look) => Look | undefined;
    },
  ): void {
    const { clock, random } = this.#options;
    const report = (look: Look) => {
      const judged = timing.judge(look);
      if (judged !== undefined) this.#found(id, judged);
    };
    const runner = new CheckRunner({ clock, probe, report, ...timing });
    this.#runners.set(id, runner);
    runner.start(random.next() * timing.intervalMs);
  }

  /** Something changed at a service, or for '' at the node, which all aliases heed. */
  #follow(serviceId: string): void {
    const concerned = serviceId === '' ? this.#aliases.values() : this.#followers.get(serviceId);
    for (const alias of concerned ?? []) this.#update(alias);
  }

  #unfollow(alias: Alias): void {
    this.#aliases.delete(alias.id);
    const followers = this.#followers.get(alias.service);
    followers?.delete(alias);
    if (followers?.size === 0) this.#followers.delete(alias.service);
  }

  #update({ id, service }: Alias): void {
    const { local } = this.#options;
    if (service !== '' && !local.services.has(service)) {
      this.#found(id, critical(`Service ${service} could not be found on node `));
    } else this.#found(id, aliasLook(this.#aliased(service), id));
  }

  #found(id: string, { status, output }: Look): void {
    const { local, discardOutput } = this.#options;
    local.updateCheck(id, status, discardOutput ? '' : output);
  }

  *#aliased(service: string): Iterable<CheckDefinition> {
    const { local } = this.#options;
    if (service !== '') for (const c of local.checksOf(service).values()) yield c.definition;
    for (const { definition } of local.checksOf('').values()) {
      // Two aliases that heeded each other would never become passing again.
      if (definition.Type !== 'alias') yield definition;
    }
  }
}
