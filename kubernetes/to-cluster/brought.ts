/** The services of the catalog that a cluster is to have, with their instances: followed one by one. */
import type { Clock } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { Slots } from '../../lib/slots.ts';
import { type Agent, type Followed, follow, type Question } from '../../sidecar/follow.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type Catalog, type CatalogAnswer, WAIT } from '../catalog.ts';
import { Order } from '../order.ts';
import { hiddenOf, refuseHidden } from '../rights.ts';
import { addressesIn, type BroughtAddress, isFromHere } from './addresses.ts';
import { NAMES, type Names, namesFrom } from './names.ts';
import { type BackRules, serviceName } from './rules.ts';

/** Each is a question. */
const MAX_SERVICES = 2000;
/**
 * Of those that wait at a time, each at a connection of its own: beside eight that are read anew, two syncs of one address are
 * within what a server gives one by default (limits.http_max_conns_per_client), and their beats come through.
 */
const MAX_WAITS = 72;
/** Of each that may have more than is shown. */
const MAX_SEEN = 10_000;
/** Of more services each has its turn in so long. */
const ROUND_MS = 10_000;

export interface BroughtDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The name in the catalog that the cluster has that Service by, as it was made from there; undefined where it has none. */
  readonly madeOf: (service: string) => string | undefined;
}

export interface BroughtService {
  /** In the catalog. */
  readonly name: string;
  /** Undefined while its instances are not known yet. */
  readonly addresses: readonly BroughtAddress[] | undefined;
}

type Hiding = Pick<CatalogAnswer, 'isPartial' | 'json'>;

/** A service that is followed, until its signal comes. */
interface Following {
  readonly ending: AbortController;
  readonly order: Order;
}

export class Brought {
  readonly #deps: BroughtDeps;
  readonly #rules: BackRules;
  readonly #askNames: ReturnType<typeof namesFrom>;
  /** For the services, of which there may be many. */
  readonly #inTurn: Agent;
  readonly #notices: Notices;
  /** Told of a Service by its name in the cluster. */
  readonly #changed: (service: string) => void;
  readonly #following = new Map<string, Following>();
  /** By the name of the Service. */
  readonly #services = new Map<string, BroughtService>();
  /** By the name in the catalog, the nodes that its instances were on. */
  readonly #nodes = new Map<string, ReadonlySet<string>>();
  /** By the name in the catalog: there may be instances on nodes that are hidden, beside those addresses that were seen. */
  readonly #partly = new Map<string, Set<string>>();
  /** By the name of the Service: its instances were read since this was asked for. */
  readonly #fresh = new Set<string>();
  /** Of names with the tag those whose instances all came from the cluster. */
  readonly #fromHere = new Set<string>();
  /** Names that are not brought, of which the log has said why. */
  #left = new Set<string>();
  /** Services that the catalog has and that are too many. */
  #over: ReadonlySet<string> = new Set();
  #said: Names = new Map();
  readonly #names = new Order();
  /** Questions about services that are under way. */
  readonly #under = new Set<Promise<void>>();
  #isKnown = false;

  constructor(deps: BroughtDeps, rules: BackRules, changed: (service: string) => void) {
    const { catalog, clock, random, logger } = deps;
    this.#deps = deps;
    this.#rules = rules;
    this.#changed = changed;
    this.#notices = new Notices((text) => logger.warn(`k8s: ${text}`));
    const ask: Agent['ask'] = ({ path, query }, signal) =>
      catalog.ask({ method: 'GET', path, query }, signal);
    this.#askNames = namesFrom(deps, rules);
    const slots = new Slots(MAX_WAITS);
    const inTurn: Agent['ask'] = ({ path, query }, signal) =>
      slots.run(() => ask({ path, query: [...query, ...this.#patience()] }, signal));
    this.#inTurn = { ask: inTurn, clock, random };
  }

  /** Before, what is not there may only not have been read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  names(): Iterable<string> {
    return this.#services.keys();
  }

  get(service: string): BroughtService | undefined {
    return this.#services.get(service);
  }

  /** How many names do not come. */
  get leftOut(): number {
    return this.#left.size + this.#over.size;
  }

  /** It is one too many: nothing is known of it but that the catalog has it. */
  isOver(service: string): boolean {
    return this.#over.has(service);
  }

  /** The token may not read all nodes: what the cluster has of a service, and was never seen here, need not be gone. */
  mayHide(service: string, { address }: BroughtAddress): boolean {
    const seen = this.#partly.get(this.#services.get(service)?.name ?? '');
    return seen !== undefined && !seen.has(address);
  }

  /** What was known until now may be old: a question that waits has no answer where nothing comes through. */
  doubt(): void {
    this.#fresh.clear();
  }

  isFresh(service: string): boolean {
    return this.#fresh.has(service);
  }

  /** What the cluster has may be otherwise than when names were chosen. */
  chooseAnew(): void {
    if (this.#isKnown) this.#takeNames(this.#said);
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const of = { ask: this.#askNames, clock, random };
    const take = (json: unknown) => {
      if (json instanceof Map) this.#takeNames(json);
    };
    await this.#follow({ path: NAMES, of, order: this.#names }, take, signal);
    for (const { ending } of this.#following.values()) ending.abort();
    await Promise.all(this.#under);
  }

  /** The instances of a Service as they are after this was called. Rejects where nobody says so. */
  async readAnew(service: string, signal: AbortSignal): Promise<void> {
    const name = this.#services.get(service)?.name ?? '';
    const following = this.#following.get(name);
    if (following !== undefined && this.#rules.kind === 'headless') {
      const { order, ending } = following;
      const path = pathOf(name);
      const ask = async () => {
        const answer = await this.#deps.catalog.ask({ method: 'GET', path }, signal);
        await this.#refuseHidden(name, answer, signal);
        return answer.json;
      };
      await order.read(ask, (json) => this.#take(name, ending.signal, json));
      // What was known of it is no newer by that: the list of names says soon that it is gone.
      if (this.#following.has(name) && !this.#fresh.has(service))
        throw new ProconsulError('unavailable', `${name} has no instances`);
    }
    this.#fresh.add(service);
  }

  /**
   * Rejects where a service may only be hidden from the token: the catalog says nothing of it, as of what is gone. The list
   * is read anew then, with rights that are as new as those that were asked for.
   */
  async readGone(name: string, signal: AbortSignal): Promise<void> {
    await refuseHidden(this.#deps.catalog, 'service', [name], signal);
    const ask = () => this.#askNames({ path: NAMES, query: [] }, signal);
    await this.#names.read(ask, ({ json }) => this.#takeNames(json));
  }

  #takeNames(names: Names): void {
    this.#said = names;
    for (const name of this.#fromHere) if (names.get(name) !== true) this.#fromHere.delete(name);
    const wanted = this.#named([...names.keys()].filter((name) => this.#isMeant(name)));
    if (wanted.length > MAX_SERVICES) {
      this.#notices.tell('', `${wanted.length} services: no more than ${MAX_SERVICES} are brought`);
    } else this.#notices.clear('');
    // What is brought stays: whoever registers more takes nobody's place, nor does who has the turn next.
    const ranks = new Map(wanted.map((name) => [name, this.#rankOf(name)]));
    const inOrder = [0, 1, 2].flatMap((rank) => wanted.filter((name) => ranks.get(name) === rank));
    const kept = new Set(inOrder.slice(0, MAX_SERVICES));
    const [before, over] = [this.#over, inOrder.slice(MAX_SERVICES)];
    this.#over = new Set(over.map((name) => serviceName(name, this.#rules) ?? ''));
    for (const name of [...this.#following.keys()]) if (!kept.has(name)) this.#forget(name);
    for (const name of kept) if (!this.#following.has(name)) this.#begin(name);
    // Each name that comes and goes has all looked at else, and a catalog may have very many.
    for (const each of before) if (!this.#over.has(each)) this.#changed(each);
    if (this.#isKnown) return;
    this.#isKnown = true;
    this.#changed('');
  }

  /**
   * What comes from Kubernetes does not go back there. The catalog says the tags of all instances together: what was
   * brought stays until its instances are seen to have come from here, all of them.
   */
  #isMeant(name: string): boolean {
    if (this.#said.get(name) !== true) return true;
    return !this.#fromHere.has(name) && (this.#following.has(name) || this.#isThere(name));
  }

  #rankOf(name: string): number {
    if (this.#isThere(name)) return 0;
    return this.#following.has(name) ? 1 : 2;
  }

  #isThere(name: string): boolean {
    return this.#deps.madeOf(serviceName(name, this.#rules) ?? '') !== undefined;
  }

  /** Of names that come to one Service: whose it is stays, whoever registers beside it. */
  #isHolder(name: string, service: string): boolean {
    return name === (this.#deps.madeOf(service) ?? this.#services.get(service)?.name);
  }

  /** Of names that come to one Service, such as `web` and `Web`, whose it is; else the one that is written as it is, or the first. */
  #named(names: readonly string[]): readonly string[] {
    const byService = new Map<string, string>();
    const told = this.#left;
    this.#left = new Set();
    const leave = (name: string, why: string) => {
      this.#left.add(name);
      this.#notices.tell(name, `"${name}" is not brought: ${why}`);
    };
    for (const name of [...names].sort()) {
      const service = serviceName(name, this.#rules);
      if (service === undefined) {
        leave(name, 'no Service can have that name');
        continue;
      }
      const other = byService.get(service);
      const isFirst =
        other === undefined ||
        this.#isHolder(name, service) ||
        (name === name.toLowerCase() && !this.#isHolder(other, service));
      if (isFirst) byService.set(service, name);
      if (other === undefined) continue;
      leave(isFirst ? other : name, `Service "${service}" is of another`);
    }
    for (const name of told) if (!this.#left.has(name)) this.#notices.clear(name);
    return [...byService.values()];
  }

  #begin(name: string): void {
    const service = serviceName(name, this.#rules) ?? '';
    const [ending, order] = [new AbortController(), new Order()];
    this.#following.set(name, { ending, order });
    this.#services.set(service, { name, addresses: undefined });
    if (this.#rules.kind === 'external-name') {
      this.#services.set(service, { name, addresses: [] });
      this.#changed(service);
      return;
    }
    const take = (json: unknown) => this.#take(name, ending.signal, json);
    const path = pathOf(name);
    const ask: Agent['ask'] = async (question, signal) => {
      const answer = await this.#inTurn.ask(question, signal);
      await this.#refuseHidden(name, answer, signal);
      return answer;
    };
    const of = { ...this.#inTurn, ask };
    const ended = this.#follow({ path, of, order }, take, ending.signal);
    this.#under.add(ended);
    void ended.then(() => this.#under.delete(ended));
  }

  #take(name: string, ended: AbortSignal, json: unknown): void {
    // Once it has none it is no service any more: then the list of names says so.
    const entries = objectsIn(json);
    if (ended.aborted || entries.length === 0) return;
    if (this.#isAllFromHere(name, entries)) {
      this.#fromHere.add(name);
      this.#forget(name);
      return;
    }
    const service = serviceName(name, this.#rules) ?? '';
    this.#fresh.add(service);
    const addresses = addressesIn(entries, this.#rules);
    const seen = this.#partly.get(name);
    // Of what went the cluster has nothing by now.
    if (seen !== undefined && seen.size > MAX_SEEN) seen.clear();
    for (const { address } of addresses) seen?.add(address);
    this.#services.set(service, { name, addresses });
    this.#changed(service);
  }

  #isAllFromHere(name: string, entries: readonly Said[]): boolean {
    if (this.#partly.has(name)) return false;
    if (!entries.every((entry) => isFromHere(entry, this.#rules))) return false;
    return this.#said.get(name) === true;
  }

  /** Instances go with their nodes from the answer to a token that may not read those: that says nothing of them. */
  async #refuseHidden(name: string, answer: Hiding, signal: AbortSignal): Promise<void> {
    const { json } = answer;
    if (!Array.isArray(json)) throw new ProconsulError('unavailable', 'the answer is no list');
    const known = this.#nodes.get(name);
    // Once it has none it is no service any more; of one that is named all may be hidden.
    if (json.length === 0 && known === undefined)
      throw new ProconsulError('unavailable', 'none of its instances is shown');
    const now = new Set(objectsIn(json).map(({ Node }) => textIn(objectIn(Node)['Node'])));
    const gone = [...(known ?? [])].filter((node) => !now.has(node));
    if (gone.length > 0) await refuseHidden(this.#deps.catalog, 'node', gone, signal);
    const isPartly = answer.isPartial === true || (await this.#mayHideMore(name, signal));
    if (!this.#following.has(name)) return;
    this.#nodes.set(name, now);
    this.#markPartly(name, isPartly);
  }

  /** Where it was never seen whole the nodes of what the cluster has of it have no names here: all of them count. */
  async #mayHideMore(name: string, signal: AbortSignal): Promise<boolean> {
    const isFirst = !this.#nodes.has(name) && this.#isThere(name);
    if (!isFirst && !this.#partly.has(name)) return false;
    return (await hiddenOf(this.#deps.catalog, 'node', [''], signal)).length > 0;
  }

  #markPartly(name: string, isPartly: boolean): void {
    const about = `${name} partly`;
    if (isPartly) {
      const why = 'the token may not read all nodes: what the cluster has besides stays';
      this.#notices.tell(about, `"${name}": ${why}`);
      if (!this.#partly.has(name)) this.#partly.set(name, new Set());
    } else {
      this.#notices.clear(about);
      this.#partly.delete(name);
    }
  }

  #forget(name: string): void {
    this.#nodes.delete(name);
    this.#markPartly(name, false);
    this.#notices.clear(pathOf(name));
    this.#following.get(name)?.ending.abort();
    this.#following.delete(name);
    const service = serviceName(name, this.#rules) ?? '';
    this.#services.delete(service);
    this.#changed(service);
  }

  /** So long that a round of all is done in time; as long as all else that waits where all of them find a place. */
  #patience(): Question['query'] {
    const count = this.#following.size;
    if (count <= MAX_WAITS) return [['wait', WAIT]];
    return [['wait', `${Math.round((ROUND_MS * MAX_WAITS) / count)}ms`]];
  }

  #follow(
    { path, of, order }: { readonly path: string; readonly of: Agent; readonly order: Order },
    take: Followed['take'],
    signal: AbortSignal,
  ): Promise<void> {
    const followed: Followed = {
      path,
      query: [],
      take: (json) => {
        this.#notices.clear(path);
        take(json);
        order.followed();
      },
      lost: ({ why }) => this.#notices.tell(path, `cannot read ${path}: ${why}`),
    };
    return follow(of, followed, signal).catch((error: unknown) => {
      if (!(error instanceof ProconsulError)) throw error;
      this.#deps.logger.error(`k8s: ${messageOf(error)}`);
    });
  }
}

function pathOf(name: string): string {
  return `/v1/health/service/${encodeURIComponent(name)}`;
}
