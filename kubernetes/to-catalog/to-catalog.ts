/** From the cluster to the catalog: Services and their slices, as instances of one node. */
import type { Sample } from '../../lib/metrics/sample.ts';
import { Notices } from '../../lib/notices.ts';
import type { Mirror } from '../api/mirror.ts';
import {
  earliestLoss,
  type Fence,
  mirrorIn,
  readsOf,
  type Way,
  type WayCounts,
  type WayDeps,
} from '../way.ts';
import { Registered } from './registered.ts';
import type { SyncRules } from './rules.ts';
import { Wanted } from './wanted.ts';
import { Writer } from './writer.ts';

export interface ToCatalogOptions {
  readonly rules: SyncRules;
  /** The one that is read; '' for all. */
  readonly sourceNamespace: string;
  readonly labelSelector: string;
}

/** In less time little changes in a cluster. */
const LONG_MS = 5000;

type Listing = Pick<
  Mirror<unknown>,
  'isWhole' | 'lostAt' | 'run' | 'listAnew' | 'lists' | 'failures'
>;

export class ToCatalog implements Way {
  readonly name = 'to-catalog';
  readonly #registered: Registered;
  readonly #writer: Writer;
  /** Those whose lists count. */
  readonly #mirrors: Listing[];
  readonly #nodes: Listing;
  readonly #wanted: Wanted;
  /** They were read since the turn began. */
  #areNodesFresh = true;
  readonly #reads: Promise<void>[] = [];
  #running: AbortSignal | undefined;

  constructor(deps: WayDeps, { rules, sourceNamespace, labelSelector }: ToCatalogOptions) {
    const { catalog, clock, random, logger, onRead } = deps;
    const notices = new Notices((text) => logger.warn(`k8s: ${text}`));
    const wanted = new Wanted(rules, {
      now: () => clock.monotonic(),
      changed: () => this.#writer.look(),
      nodesWanted: () => this.#readNodes(),
      areNodesKnown: () => this.#nodes.isWhole && this.#areNodesFresh,
      judged: (service, fault) => {
        if (fault === undefined) notices.clear(service);
        else notices.tell(service, `Service "${service}" does not come: ${fault}`);
      },
    });
    this.#wanted = wanted;
    const read = () => {
      this.#writer.heard();
      onRead();
    };
    const listed = () => {
      if (this.#needed.every(({ isWhole }) => isWhole)) wanted.whole();
      read();
    };
    const listing = { ...deps, onRead: listed };
    this.#registered = new Registered({ catalog, clock, random }, rules, {
      read: () => {
        notices.clear('');
        read();
      },
      lost: (why) => notices.tell('', `cannot read the catalog: ${why}`),
    });
    const parts = { wanted, registered: this.#registered };
    this.#writer = new Writer({ ...parts, catalog, clock, random, logger }, rules);
    const selected = labelSelector !== '' && { labelSelector };
    const slices = '/apis/discovery.k8s.io/v1/endpointslices';
    // Its own check says by now that it is of use again, which would have the node read just while there is most to write.
    const back = (lostMs: number) => {
      if (lostMs > LONG_MS) this.#registered.rest();
    };
    this.#mirrors = [
      mirrorIn(listing, sourceNamespace, {
        path: '/api/v1/services',
        ...wanted.services,
        ...selected,
        back,
      }),
      mirrorIn(listing, sourceNamespace, { path: slices, ...wanted.slices, back }),
    ];
    const nodesRead = () => {
      wanted.lookAtNodePorts();
      // Of what was held for them nothing else tells that it may be gone.
      this.#writer.heard();
    };
    const nodes = { path: '/api/v1/nodes', ...wanted.nodes };
    this.#nodes = mirrorIn({ ...deps, onRead: nodesRead }, '', nodes);
  }

  get isWhole(): boolean {
    return this.#registered.isKnown && this.#needed.every(({ isWhole }) => isWhole);
  }

  get lostAt(): number | undefined {
    return earliestLoss(this.#needed);
  }

  /** Without the machines, all but what is reached there comes. */
  get #needed(): readonly Listing[] {
    return this.#mirrors.filter((each) => each !== this.#nodes);
  }

  get counts(): WayCounts {
    const { written, refused, waiting } = this.#writer;
    const leftOut = this.#wanted.refused;
    return { written, refused, waiting, leftOut, ...readsOf(this.#mirrors) };
  }

  /** From when a change was read to when the catalog had taken it. */
  get late(): Sample {
    return this.#writer.late;
  }

  async read(signal: AbortSignal): Promise<void> {
    this.#running = signal;
    for (const mirror of [...this.#mirrors]) this.#reads.push(mirror.run(signal));
    await this.#registered.untilKnown(signal);
    await Promise.all([...this.#reads, this.#registered.run(signal)]);
  }

  work(fence: Fence, signal: AbortSignal): Promise<void> {
    if (this.#mirrors.includes(this.#nodes)) void this.#readNodesAnew(signal);
    const listed = Promise.all(this.#needed.map((each) => each.listAnew(signal)));
    return this.#writer.run(fence, listed, signal);
  }

  /** Until then what is reached there stays as it is. */
  async #readNodesAnew(signal: AbortSignal): Promise<void> {
    this.#areNodesFresh = false;
    this.#wanted.lookAtNodePorts();
    await this.#nodes.listAnew(signal);
    if (signal.aborted) return;
    this.#areNodesFresh = true;
    this.#wanted.lookAtNodePorts();
    this.#writer.heard();
  }

  /** Machines count where a NodePort does: whoever has none needs no right to see them. */
  #readNodes(): void {
    if (this.#mirrors.includes(this.#nodes)) return;
    this.#mirrors.push(this.#nodes);
    if (this.#running !== undefined) this.#reads.push(this.#nodes.run(this.#running));
  }
}
