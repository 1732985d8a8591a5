/**
 * Which external nodes this server looks after, and has looked at: each node has one server, the first of
 * those that look on the ring for its name. Who looks has a lease, which all of them see end at about the
 * same time: nothing is agreed on, and nobody waits for a leader to say that a server has failed.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { sameJson } from '../../lib/equal.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Check, Node } from '../../lib/model.ts';
import { Ring } from '../../lib/ring.ts';
import type { Leases } from '../leases.ts';
import { isLookedAt, isProbed, isSameToSee } from '../state/agentless.ts';
import type { KnownMember, State } from '../state/state.ts';
import { CATALOG, MEMBERS, nodeChecksTopic, nodeTopic } from '../state/topic-names.ts';
import type { Findings } from './findings.ts';
import type { Lookout, Reachable } from './lookout.ts';

/** How often it is compared what is to be looked at with what is. */
const TICK_MS = 500;
/** How often a server says that it looks, and asks who else does; where there is anything to be looked at. */
const TICKS_BETWEEN_BEATS = 2;
/** Whoever is not heard of for as long looks at nothing. */
const LEASE_MS = 4000;

const PROBER = 'prober/';

/** Whoever has this service in the catalog has left the external nodes to it. */
const MONITOR = 'consul-esm';

export interface ProberDeps {
  /** The id of this server. */
  readonly server: string;
  readonly state: () => State;
  readonly leases: Pick<Leases, 'renew' | 'left' | 'drop'>;
  readonly findings: Pick<Findings, 'ofCheck' | 'ofNode'>;
  readonly lookout: Lookout;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A node that is looked after, and when that was last compared. */
interface Tended {
  node: Node;
  index: number;
  readonly checks: Map<string, { readonly check: Check; readonly stop: Cancel }>;
  life: { readonly reachable: Reachable; readonly stop: Cancel } | undefined;
}

export class Prober {
  readonly #deps: ProberDeps;
  readonly #tended = new Map<string, Tended>();
  /** By folded name, for as long as the same servers live. */
  readonly #mine = new Map<string, boolean>();
  #ring = new Ring();
  /** The others that look, as far as is known. */
  #others: ReadonlySet<string> = new Set();
  #ticks = 0;
  #beating = false;
  /** Whether there was an external node at the last tick: most clusters never have one. */
  #isNeeded = false;
  /** Of what the last comparison was made. */
  #seen: { readonly state: State; readonly catalog: number; readonly members: number } | undefined;
  #isLeftToOthers = false;
  #cancel: Cancel = () => undefined;

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** Of the nodes that this server looks after: how many checks are looked at. */
  get size(): number {
    let size = 0;
    for (const { checks, life } of this.#tended.values()) {
      size += checks.size + (life === undefined ? 0 : 1);
    }
    return size;
  }

  start(): void {
    const { externalNodes } = this.#deps.state().catalog;
    const isDue = this.#ticks++ % TICKS_BETWEEN_BEATS === 0 || !this.#isNeeded;
    this.#isNeeded = externalNodes.size > 0;
    if (this.#isNeeded && isDue && !this.#beating) void this.#beat();
    this.#compare();
    this.#cancel = this.#deps.clock.after(TICK_MS, () => this.start());
  }

  stop(): void {
    const { leases, server, logger } = this.#deps;
    this.#cancel();
    if (this.#ticks > 0) {
      leases.drop(PROBER + server).catch((error: unknown) => {
        logger.debug(`external: ${describeChain(error)}`);
      });
    }
    for (const name of [...this.#tended.keys()]) this.#drop(name);
  }

  /** While nobody can be asked, it stays as it is: nothing that is found could be written either. */
  async #beat(): Promise<void> {
    const { leases, server, state, logger } = this.#deps;
    this.#beating = true;
    try {
      await leases.renew(PROBER + server, LEASE_MS);
      const looking = new Set<string>();
      for (const { ID } of state().liveServers.values()) {
        if (ID !== server && ((await leases.left(PROBER + ID)) ?? 0) > 0) looking.add(ID);
      }
      this.#others = looking;
    } catch (error) {
      logger.debug(`external: ${describeChain(error)}`);
    } finally {
      this.#beating = false;
    }
  }

  #compare(): void {
    const state = this.#deps.state();
    const [catalog, members] = [state.topics.indexOf(CATALOG), state.topics.indexOf(MEMBERS)];
    const seen = this.#seen;
    const isSame = seen?.state === state && seen.catalog === catalog && seen.members === members;
    if (!this.#seeServers(state.liveServers.values()) && isSame) return;
    // What was restored may say something else at the same index.
    if (seen?.state !== state) for (const tended of this.#tended.values()) tended.index = 0;
    this.#seen = { state, catalog, members };
    const nodes = this.#isLeft(state) ? [] : state.catalog.externalNodes;
    const kept = new Set<string>();
    for (const [name, node] of nodes) {
      if (state.catalog.hasAgent(name) || !this.#isMine(name)) continue;
      kept.add(name);
      this.#tend(state, name, node);
    }
    for (const name of [...this.#tended.keys()]) if (!kept.has(name)) this.#drop(name);
  }

  /** Whether others look than before. */
  #seeServers(servers: Iterable<KnownMember>): boolean {
    const looks = (id: string) => id === this.#deps.server || this.#others.has(id);
    const ids = [...servers].map(({ ID }) => ID).filter(looks);
    if (ids.length === this.#ring.size && ids.every((id) => this.#ring.has(id))) return false;
    this.#ring = new Ring(ids);
    this.#mine.clear();
    return true;
  }

  #isMine(name: string): boolean {
    const known = this.#mine.get(name);
    if (known !== undefined) return known;
    const isMine = this.#ring.successors(name)[0] === this.#deps.server;
    this.#mine.set(name, isMine);
    return isMine;
  }

  #isLeft({ catalog }: State): boolean {
    const [monitor] = catalog.instancesOf(MONITOR);
    if (this.#isLeftToOthers !== (monitor !== undefined)) {
      this.#isLeftToOthers = !this.#isLeftToOthers;
      const how = this.#isLeftToOthers ? 'left to' : 'no longer left to';
      this.#deps.logger.info(`external: external nodes are ${how} ${MONITOR}, as it is registered`);
    }
    return this.#isLeftToOthers;
  }

  #tend(state: State, name: string, node: Node): void {
    const { topics, catalog } = state;
    const index = Math.max(topics.indexOf(nodeTopic(name)), topics.indexOf(nodeChecksTopic(name)));
    const tended = this.#tended.get(name) ?? { node, index: 0, checks: new Map(), life: undefined };
    if (tended.node === node && tended.index === index) return;
    tended.node = node;
    tended.index = index;
    this.#tended.set(name, tended);
    this.#tendChecks(tended, [...catalog.checksOn(name)].filter(isLookedAt));
    this.#tendLife(tended, isProbed(node) ? reachable(state, node) : undefined);
  }

  #tendChecks({ checks, node }: Tended, wanted: readonly Check[]): void {
    const { lookout, findings } = this.#deps;
    const byId = new Map(wanted.map((check) => [check.CheckID, check]));
    for (const [id, { check, stop }] of checks) {
      if (isSameToSee(check, byId.get(id))) byId.delete(id);
      else {
        stop();
        checks.delete(id);
      }
    }
    for (const [id, check] of byId) {
      const stop = lookout.watchCheck(node.Node, check, (sight) => {
        void findings.ofCheck(check, sight);
      });
      checks.set(id, { check, stop });
    }
  }

  #tendLife(tended: Tended, wanted: Reachable | undefined): void {
    const { lookout, findings } = this.#deps;
    if (sameJson(tended.life?.reachable, wanted)) return;
    tended.life?.stop();
    tended.life = undefined;
    if (wanted === undefined) return;
    const stop = lookout.watchNode(wanted, (sight) => void findings.ofNode(wanted.node, sight));
    tended.life = { reachable: wanted, stop };
  }

  #drop(name: string): void {
    const tended = this.#tended.get(name);
    this.#tended.delete(name);
    if (tended === undefined) return;
    tended.life?.stop();
    for (const { stop } of tended.checks.values()) stop();
  }
}

/** What is known to listen there; a service with an address of its own is elsewhere. */
function reachable({ catalog }: State, { Node: node, Address: address }: Node): Reachable {
  const ports = [...catalog.instancesOn(node)]
    .filter(({ Address, Port }) => Port > 0 && (Address === '' || Address === address))
    .map(({ Port }) => Port);
  return { node, address, ports: [...new Set(ports)].sort((a, b) => a - b) };
}
