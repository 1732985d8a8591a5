/** From the catalog to the cluster: services as Services, and their instances as endpoints. */
import type { Mirror } from '../api/mirror.ts';
import type { Said } from '../api/shapes.ts';
import { ownedSelector } from '../ours.ts';
import {
  earliestLoss,
  type Fence,
  mirrorIn,
  readsOf,
  type Way,
  type WayCounts,
  type WayDeps,
} from '../way.ts';
import { Brought } from './brought.ts';
import { ClusterWriter, GROUPS } from './cluster-writer.ts';
import { Own } from './own.ts';
import type { BackRules } from './rules.ts';

export class ToCluster implements Way {
  readonly name = 'to-cluster';
  readonly #brought: Brought;
  readonly #writer: ClusterWriter;
  readonly #mirrors: Mirror<Said>[];

  constructor(deps: WayDeps, rules: BackRules) {
    const { api, catalog, clock, random, logger, onRead } = deps;
    const changed = (service: string) => {
      if (service === '') onRead();
      this.#writer.look(service);
    };
    const own = new Own(rules, changed);
    const madeOf = (service: string) => own.madeOf(service);
    this.#brought = new Brought({ catalog, clock, random, logger, madeOf }, rules, changed);
    const brought = this.#brought;
    this.#writer = new ClusterWriter({ api, brought, own, clock, random, logger }, rules);
    const { namespace } = rules;
    const services = { path: `${GROUPS.services}/services`, ...own.serviceList };
    const slices = { path: `${GROUPS.endpointslices}/endpointslices`, ...own.sliceList };
    const read = () => {
      brought.chooseAnew();
      onRead();
    };
    this.#mirrors = [
      mirrorIn({ ...deps, onRead: read }, namespace, services),
      mirrorIn(deps, namespace, { ...slices, labelSelector: ownedSelector(rules.owner) }),
    ];
  }

  get isWhole(): boolean {
    return this.#brought.isKnown && this.#mirrors.every(({ isWhole }) => isWhole);
  }

  get lostAt(): number | undefined {
    return earliestLoss(this.#mirrors);
  }

  get counts(): WayCounts {
    const { written, refused, waiting } = this.#writer;
    const { leftOut } = this.#brought;
    const held = Number(this.#writer.isHolding);
    return { written, refused, waiting, leftOut, held, ...readsOf(this.#mirrors) };
  }

  async read(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#brought.run(signal),
      ...this.#mirrors.map((mirror) => mirror.run(signal)),
    ]);
  }

  /** What looks alike need not be: each side is asked for anew, whatever it was that a silent watch showed of it. */
  async work(_fence: Fence, signal: AbortSignal): Promise<void> {
    // Another has made what is there, and perhaps of other services.
    this.#brought.chooseAnew();
    const listed = Promise.all(this.#mirrors.map((each) => each.listAnew(signal)));
    const chosen = listed.then(() => this.#brought.chooseAnew());
    await Promise.all([this.#writer.run(signal), chosen]);
  }
}
