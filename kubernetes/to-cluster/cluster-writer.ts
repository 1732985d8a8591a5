/**
 * Makes the cluster have what the catalog has, while it is this sync's turn. Only what this sync made is changed or
 * deleted, each time by the version that was seen.
 */
import type { Clock } from '../../lib/clock.ts';
import { sameJson } from '../../lib/equal.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { Retries } from '../../lib/retries.ts';
import { AllAtOnce, type Gone } from '../all-at-once.ts';
import type { ApiServer } from '../api/api-server.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { isManagedBy } from '../ours.ts';
import { CHANGED_EACH_TIME, PutBacks } from '../put-backs.ts';
import type { BroughtAddress } from './addresses.ts';
import type { Brought, BroughtService } from './brought.ts';
import { bare, labelsOf, merged, placesIn, says, typeOf } from './differences.ts';
import { addressesOf, type Manifest, serviceManifest, sliceManifests } from './manifests.ts';
import type { Own } from './own.ts';
import { type BackRules, catalogNameOf } from './rules.ts';
import { WorkList } from './work-list.ts';

export interface ClusterWriterDeps {
  readonly api: Pick<ApiServer, 'ask'>;
  readonly brought: Brought;
  readonly own: Own;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Its instances are known. */
type Whole = BroughtService & { readonly addresses: readonly BroughtAddress[] };

export class ClusterWriter {
  readonly #deps: ClusterWriterDeps;
  readonly #rules: BackRules;
  readonly #notices: Notices;
  readonly #retries: Retries;
  readonly #work: WorkList;
  readonly #putBacks: PutBacks;
  readonly #allAtOnce: AllAtOnce;
  /** Services that somebody changes each time, as they were wanted: they wait for their turn. */
  readonly #resting = new Map<string, unknown>();
  /** Services that somebody wrote meanwhile, once already. */
  readonly #raced = new Set<string>();
  /** Objects that the API server took, and Services that it did not take. */
  written = 0;
  refused = 0;

  constructor(deps: ClusterWriterDeps, rules: BackRules) {
    this.#deps = deps;
    this.#rules = rules;
    this.#work = new WorkList(deps.clock, {
      settle: (service, signal) => this.#settle(service, signal),
      makeSure: (service, signal) => this.#makeSure(service, signal),
    });
    this.#notices = new Notices((text) => deps.logger.warn(`k8s: ${text}`));
    this.#putBacks = new PutBacks(deps.clock);
    this.#allAtOnce = new AllAtOnce(deps.clock, {
      look: () => this.#gone(),
      begun: (text) => deps.logger.warn(`k8s: of the Services from the catalog ${text}`),
      over: () => this.look(''),
    });
    this.#retries = new Retries(deps.clock, deps.random, (service) => {
      this.#resting.delete(service);
      this.look(service);
    });
  }

  get waiting(): number {
    return this.#work.size;
  }

  /** What went stays, since most went at once. */
  get isHolding(): boolean {
    return this.#allAtOnce.isHolding;
  }

  /** Something of this Service is otherwise; '' for all. */
  look(service: string): void {
    const { brought, own } = this.#deps;
    this.#work.look(service === '' ? [...brought.names(), ...own.services()] : [service]);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#resting.clear();
    this.#deps.brought.doubt();
    this.look('');
    try {
      await this.#work.run(signal);
    } finally {
      this.#retries.stop();
      this.#allAtOnce.stop();
    }
  }

  /** What nobody has said since the turn began may be otherwise, though all looks alike. */
  async #makeSure(service: string, signal: AbortSignal): Promise<void> {
    const { brought } = this.#deps;
    if (brought.get(service) === undefined || brought.isFresh(service)) return;
    await this.#attempt(service, () => brought.readAnew(service, signal), signal);
  }

  async #settle(service: string, signal: AbortSignal): Promise<void> {
    const wants = this.#deps.brought.get(service);
    if (this.#resting.has(service) && sameJson(this.#resting.get(service), wants)) return;
    await this.#attempt(service, () => this.#compare(service, signal), signal);
  }

  async #attempt(service: string, act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await act();
      // What is in doubt has still to be asked for, which may fail once more.
      if (!this.#work.isInDoubt(service)) this.#retries.succeeded(service);
      this.#raced.delete(service);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (signal.aborted) return;
      this.refused++;
      // Who lost a race once looks again.
      if (error.code !== 'busy' || this.#raced.has(service))
        this.#notices.tell(service, `Service "${service}": ${messageOf(error)}`);
      if (error.code === 'busy') this.#raced.add(service);
      this.#retries.failed(service);
    }
  }

  async #compare(service: string, signal: AbortSignal): Promise<void> {
    const { brought, own } = this.#deps;
    const there = own.service(service);
    const wants = brought.get(service);
    const isOthers = there !== undefined && !own.isOurs(service);
    if (isOthers) await this.#leave(service, signal);
    if (wants === undefined) {
      if (isOthers || there === undefined) this.#notices.clear(service);
      else if (!brought.isOver(service)) await this.#remove(service, there, signal);
      return;
    }
    this.#allAtOnce.isThere(service);
    if (wants.addresses === undefined) return;
    if (isOthers) {
      const where = `"${service}" of namespace "${this.#rules.namespace}"`;
      this.#notices.tell(service, `Service ${where} is left alone: somebody else made it`);
      return;
    }
    await this.#bring(service, { ...wants, addresses: wants.addresses }, signal);
    if (!this.#work.isInDoubt(service)) this.#notices.clear(service);
  }

  /** Nothing is written by what was known before the turn began. */
  async #bring(service: string, wants: Whole, signal: AbortSignal): Promise<void> {
    const { brought, own } = this.#deps;
    const addresses = this.#withHidden(service, wants.addresses);
    const wanted = serviceManifest(service, { ...wants, addresses }, this.#rules);
    if (this.#saysAll(service, wanted, addresses)) {
      if (!brought.isFresh(service)) this.#work.doubt(service);
      return;
    }
    if (!brought.isFresh(service)) {
      await brought.readAnew(service, signal);
      return await this.#compare(service, signal);
    }
    const made = await this.#put('services', wanted, own.service(service), signal);
    if (this.#rules.kind === 'headless') await this.#putSlices(service, made, addresses, signal);
    if (!this.#putBacks.wrote(service, wants)) return;
    this.#resting.set(service, brought.get(service));
    throw new ProconsulError('unavailable', CHANGED_EACH_TIME);
  }

  /** What nobody may see is not known to be gone; nor what has still to come back. */
  #withHidden(service: string, shown: readonly BroughtAddress[]): readonly BroughtAddress[] {
    const { brought, own } = this.#deps;
    const there = addressesOf(own.slices(service));
    const known = new Set(shown.map(({ address, port }) => `${address} ${port}`));
    const isKept = (each: BroughtAddress) =>
      brought.mayHide(service, each) ||
      (this.isHolding && !known.has(`${each.address} ${each.port}`));
    return [...shown, ...there.filter(isKept)];
  }

  /** There is nothing to write. */
  #saysAll(service: string, wanted: Manifest, addresses: readonly BroughtAddress[]): boolean {
    const there = this.#deps.own.service(service);
    if (there === undefined || !says(there, wanted)) return false;
    if (this.#rules.kind !== 'headless') return true;
    const slices = this.#deps.own.slices(service);
    const manifests = this.#slicesOf(service, there, addresses);
    return (
      slices.size === manifests.size &&
      [...manifests].every(([name, manifest]) => {
        const slice = slices.get(name);
        return slice !== undefined && says(slice, manifest);
      })
    );
  }

  #slicesOf(name: string, made: Said, addresses: readonly BroughtAddress[]) {
    const uid = textIn(objectIn(made['metadata'])['uid']);
    const placed = placesIn(this.#deps.own.slices(name));
    return sliceManifests({ name, uid, addresses, placed }, this.#rules);
  }

  /** It may have been ours: what we know of its endpoints would be stale one day. */
  async #leave(service: string, signal: AbortSignal): Promise<void> {
    for (const slice of this.#deps.own.slices(service).values())
      await this.#delete('endpointslices', slice, signal);
  }

  async #remove(service: string, there: Said, signal: AbortSignal): Promise<void> {
    const { brought } = this.#deps;
    if (this.#allAtOnce.holds([service])) return;
    await brought.readGone(catalogNameOf(there, this.#rules), signal);
    const isGone = brought.get(service) === undefined && !brought.isOver(service);
    if (isGone) await this.#delete('services', there, signal);
    this.#putBacks.forget(service);
    this.#notices.clear(service);
  }

  #gone(): Gone {
    const { brought, own } = this.#deps;
    const ours = own.services().filter((each) => own.isOurs(each));
    const isGone = (each: string) => brought.get(each) === undefined && !brought.isOver(each);
    return { had: ours.length, gone: ours.filter(isGone) };
  }

  async #putSlices(
    service: string,
    made: Said,
    addresses: readonly BroughtAddress[],
    signal: AbortSignal,
  ): Promise<void> {
    const slices = this.#deps.own.slices(service);
    const wanted = this.#slicesOf(service, made, addresses);
    // One that is not taken, as where somebody has its name, keeps no other from being written.
    const faults: unknown[] = [];
    const attempt = (done: Promise<unknown>) => done.catch((error) => void faults.push(error));
    for (const [name, manifest] of wanted) {
      await attempt(this.#put('endpointslices', manifest, slices.get(name), signal));
    }
    for (const [name, slice] of slices) {
      if (!wanted.has(name)) await attempt(this.#delete('endpointslices', slice, signal));
    }
    if (faults.length > 0) throw faults[0];
  }

  /** The object as the API server has it afterwards. */
  async #put(
    list: keyof typeof GROUPS,
    wanted: Manifest,
    there: Said | undefined,
    signal: AbortSignal,
  ): Promise<Said> {
    if (there !== undefined && says(there, wanted)) return there;
    const isOther = there !== undefined && typeOf(there) !== typeOf(wanted);
    // A Service that has another type is another one: its addresses cannot be changed.
    if (isOther) await this.#delete(list, there, signal);
    const isNew = there === undefined || isOther;
    const path = isNew ? this.#path(list) : this.#path(list, wanted.metadata.name);
    const body = isNew ? wanted : merged(there, wanted);
    const method = isNew ? 'POST' : 'PUT';
    const { status, json } = await this.#deps.api.ask(
      { method, path, body, accept: [409] },
      signal,
    );
    if (status === 409) return await this.#takeOver(list, wanted, json, signal);
    this.written++;
    this.#deps.own.wrote(list, json);
    return json;
  }

  /**
   * One that somebody took the labels from, by which it would be seen. What has them was written since it was seen, as by
   * whoever has the turn by now: it is compared anew, later, and only where the turn goes on.
   */
  async #takeOver(
    list: keyof typeof GROUPS,
    wanted: Manifest,
    refused: Said,
    signal: AbortSignal,
  ): Promise<Said> {
    const { api, own } = this.#deps;
    const { name, ownerReferences } = wanted.metadata;
    const query = { fieldSelector: `metadata.name=${name}` };
    const { json } = await api.ask({ method: 'GET', path: this.#path(list), query }, signal);
    const [there] = objectsIn(json['items']);
    if (there !== undefined && isManagedBy(labelsOf(there), this.#rules.owner)) {
      own.wrote(list, there);
      throw new ProconsulError('busy', `${name} was written by another meanwhile`);
    }
    const isOurs =
      there !== undefined &&
      ownerReferences !== undefined &&
      sameJson(
        objectsIn(objectIn(there['metadata'])['ownerReferences']).map(bare),
        ownerReferences,
      );
    if (!isOurs) throw new ProconsulError('busy', textIn(refused['message']) || `${name}: 409`);
    const path = this.#path(list, name);
    const put = await api.ask({ method: 'PUT', path, body: merged(there, wanted) }, signal);
    this.written++;
    own.wrote(list, put.json);
    return put.json;
  }

  async #delete(list: keyof typeof GROUPS, object: Said, signal: AbortSignal): Promise<void> {
    const { name, uid, resourceVersion } = objectIn(object['metadata']);
    // Only as it was seen: whoever made another one of that name meanwhile keeps it.
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid, resourceVersion },
    };
    const path = this.#path(list, textIn(name));
    await this.#deps.api.ask({ method: 'DELETE', path, body, accept: [404] }, signal);
    this.written++;
    this.#deps.own.deleted(list, textIn(name));
  }

  #path(list: keyof typeof GROUPS, name = ''): string {
    const all = `${GROUPS[list]}/namespaces/${encodeURIComponent(this.#rules.namespace)}/${list}`;
    return name === '' ? all : `${all}/${encodeURIComponent(name)}`;
  }
}

export const GROUPS = {
  services: '/api/v1',
  endpointslices: '/apis/discovery.k8s.io/v1',
} as const;
