/** All checks of an agent while they run: what looks, what waits for reports, what follows others. */
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';
import { cutOutput } from '../../lib/output-tail.ts';
import type { Random } from '../../lib/random.ts';
import type { CheckSpec } from '../definitions/check-spec.ts';
import type { LocalCheck, LocalState } from '../state/local-state.ts';
import { AliasFollowers } from './alias-followers.ts';
import { CheckRunner } from './check-runner.ts';
import { DEFAULT_TIMEOUT_MS, MAX_WORDS_BYTES, MIN_INTERVAL_MS } from './check-times.ts';
import { alias, aliasLook } from './kinds/alias.ts';
import type { ContainerProbe } from './kinds/kind.ts';
import { type AnyKind, kindOf } from './kinds/kinds.ts';
import { ttl } from './kinds/ttl.ts';
import { critical, type Look, type Probe } from './probing/probe.ts';
import { Threshold } from './threshold.ts';
import { TtlCheck } from './ttl-check.ts';

export interface CheckSetOptions {
  readonly local: LocalState;
  readonly clock: Clock;
  readonly random: Random;
  /** What is kept of what checks say; 0 keeps nothing, only how they stand. */
  readonly maxOutputBytes: () => number;
  readonly containerProbe: ContainerProbe | undefined;
  readonly nodes: Nodes;
}

/** For aliases of other nodes. */
export interface Nodes {
  /** The name of this one. */
  readonly own: string;
  /** The checks of another node, as far as the token may see them; undefined when there is none. */
  readonly checksOf: (
    node: string,
    token: string,
  ) => Promise<readonly CheckDefinition[] | undefined>;
}

/** How often an alias of another node looks there. */
const REMOTE_ALIAS_MS = 10_000;

interface Run {
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly judge: (look: Look) => Look | undefined;
}

export class CheckSet {
  readonly #options: CheckSetOptions;
  readonly #runners = new Map<string, CheckRunner>();
  readonly #ttls = new Map<string, TtlCheck>();
  readonly #aliases: AliasFollowers;

  constructor(options: CheckSetOptions) {
    this.#options = options;
    this.#aliases = new AliasFollowers(options.local, (id, look) => this.#found(id, look));
  }

  /** Begins with a check; one that runs under this id ends. `leftMs`: of its TTL, at a restart. */
  start(check: LocalCheck, leftMs?: number): void {
    const { spec } = check;
    const { CheckID } = check.definition;
    this.remove(CheckID);
    const kind = spec === undefined ? undefined : kindOf(spec);
    if (spec === undefined || kind === undefined) return;
    if (kind.type === ttl.type) this.#startTtl(CheckID, spec.TTL / NS_PER_MS, leftMs);
    else if (kind.type === alias.type) this.#startAlias(CheckID, check.token, spec);
    else this.#startRunner(check, spec, kind);
  }

  /** Ends it; nothing more is heard of it. */
  remove(id: string): void {
    this.#runners.get(id)?.stop();
    this.#ttls.get(id)?.stop();
    this.#runners.delete(id);
    this.#ttls.delete(id);
    this.#aliases.remove(id);
  }

  /** What a client reports of a TTL check. */
  report(id: string, status: CheckStatus, output: string): void {
    const reported = this.#ttls.get(id);
    if (reported === undefined) {
      throw new ProconsulError('rejected', `CheckID "${id}" does not have associated TTL`);
    }
    reported.renew();
    const spec = this.#options.local.checks.get(id)?.spec;
    this.#found(id, { status, output: cutOutput(output, this.#maxOutputBytes(spec)) });
  }

  /** What is kept of an output that somebody reports. */
  kept(output: string): string {
    const maxOutputBytes = this.#options.maxOutputBytes();
    return maxOutputBytes === 0 ? '' : cutOutput(output, maxOutputBytes);
  }

  /** How much of its TTL is left; undefined for another kind of check. */
  leftMs(id: string): number | undefined {
    return this.#ttls.get(id)?.leftMs;
  }

  get counts(): { readonly ttls: number; readonly monitors: number } {
    return { ttls: this.#ttls.size, monitors: this.#runners.size };
  }

  stop(): void {
    this.#aliases.stop();
    for (const runner of this.#runners.values()) runner.stop();
    for (const each of this.#ttls.values()) each.stop();
    this.#runners.clear();
    this.#ttls.clear();
  }

  /** A check may keep less than the agent, never more. */
  #maxOutputBytes(spec: CheckSpec | undefined): number {
    const maxOutputBytes = this.#options.maxOutputBytes();
    const own = spec?.OutputMaxSize ?? 0;
    return own > 0 ? Math.min(own, maxOutputBytes) : maxOutputBytes;
  }

  #startTtl(id: string, ttlMs: number, leftMs: number | undefined): void {
    const { clock } = this.#options;
    const check = new TtlCheck(clock, ttlMs, () => this.#found(id, critical('TTL expired')));
    this.#ttls.set(id, check);
    check.start(leftMs);
  }

  #startRunner({ definition, source }: LocalCheck, spec: CheckSpec, kind: AnyKind): void {
    const { containerProbe } = this.#options;
    const maxOutputBytes = this.#maxOutputBytes(spec);
    const timeoutMs =
      spec.Timeout > 0 ? spec.Timeout / NS_PER_MS : (kind.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const untrusted = source === 'api';
    const context = { maxOutputBytes, timeoutMs, untrusted, containerProbe };
    // Made anew for each look, within it: what cannot be made is critical, not a failed registration.
    const probe: Probe = (signal) =>
      kind.probe?.(spec, context)(signal) ?? Promise.reject(new Error('nobody can look at it'));
    const threshold = new Threshold(spec);
    this.#run(definition.CheckID, {
      probe,
      intervalMs: Math.max(spec.Interval / NS_PER_MS, MIN_INTERVAL_MS),
      timeoutMs,
      maxOutputBytes: maxOutputBytes + MAX_WORDS_BYTES,
      judge: (look) => threshold.take(look),
    });
  }

  #startAlias(id: string, token: string, { AliasNode, AliasService }: CheckSpec): void {
    const { nodes } = this.#options;
    if (AliasNode === '' || AliasNode === nodes.own) {
      this.#aliases.add(id, AliasService);
      return;
    }
    const probe = async (): Promise<Look> => {
      const checks = await nodes.checksOf(AliasNode, token);
      if (checks === undefined) return critical(`Node ${AliasNode} could not be found`);
      return aliasLook(
        checks.filter((c) => c.ServiceID === '' || c.ServiceID === AliasService),
        '',
      );
    };
    this.#run(id, {
      probe,
      intervalMs: REMOTE_ALIAS_MS,
      timeoutMs: REMOTE_ALIAS_MS,
      maxOutputBytes: this.#maxOutputBytes(undefined) + MAX_WORDS_BYTES,
      judge: (look) => look,
    });
  }

  #run(id: string, { probe, intervalMs, timeoutMs, maxOutputBytes, judge }: Run): void {
    const { clock, random } = this.#options;
    const report = (look: Look) => {
      const judged = judge(look);
      if (judged === undefined) return;
      this.#found(id, { ...judged, output: cutOutput(judged.output, maxOutputBytes) });
    };
    const pauseMs = () => intervalMs;
    const runner = new CheckRunner({ clock, probe, report, pauseMs, timeoutMs });
    this.#runners.set(id, runner);
    runner.start(random.next() * intervalMs);
  }

  #found(id: string, { status, output }: Look): void {
    const { local, maxOutputBytes } = this.#options;
    local.updateCheck(id, status, maxOutputBytes() === 0 ? '' : output);
  }
}
