/** What is remembered of the catalog, as a query sees it: the Reader's, for it notes topics and hides rows. */
import type { Check } from '../../lib/model.ts';
import { beatMs, leaseMs } from '../state/beat-pace.ts';
import type { History } from '../state/history/history.ts';
import type { Past } from '../state/history/past.ts';
import type { State } from '../state/state.ts';
import { healthTopic, nodeChecksTopic, nodeTopic } from '../state/topic-names.ts';
import type { Sight } from './sight.ts';

/** Takes note of what is read: the topic, what is seen of it, and whether it may be seen by its name. */
export type NoteOf = (topic: string, seen: Iterable<unknown>, isSeen: boolean) => void;

/** Its topics are those of the catalog: what is remembered changes with nothing else. */
export class Remembered {
  readonly #state: State;
  readonly #sight: Sight;
  readonly #noteOf: NoteOf;

  constructor(state: State, sight: Sight, noteOf: NoteOf) {
    this.#state = state;
    this.#sight = sight;
    this.#noteOf = noteOf;
  }

  /**
   * Of a service's instances: of those that are there, then of those that are gone. Others may write while they are gone
   * through: of what goes meanwhile it is told that it went, and what comes is left out. Undefined for each that is not
   * handed out: to pass it over takes its time too.
   */
  *ofService(service: string): Iterable<Past | undefined> {
    const { catalog, history } = this.#state;
    const seen = new Set<Past>();
    const handOut = (past: Past | undefined) => {
      if (past === undefined || seen.has(past) || !this.#sees(this.#sight.past(past)))
        return undefined;
      seen.add(past);
      return past;
    };
    for (const instance of [...catalog.instancesOf(service)]) {
      const isSeen = this.#sees(this.#sight.instance(instance));
      yield isSeen ? handOut(history.live(instance.Node, instance.ID)) : undefined;
    }
    for (const past of [...history.goneOf(service)]) yield handOut(past);
    this.#noteOf(healthTopic(service), seen, this.#sight.serviceNamed(service));
  }

  #sees(isSeen: boolean): boolean {
    this.#sight.asked(isSeen);
    return isSeen;
  }

  /** Of a node: its own, then that of its instances. */
  onNode(node: string): Iterable<Past> {
    const { catalog, history } = this.#state;
    const isSeen = this.#sight.nodeNamed(catalog.node(node)?.Node ?? node);
    this.#noteOf(nodeTopic(node), [], isSeen);
    this.#noteOf(nodeChecksTopic(node), [], isSeen);
    const there = this.#sight.of(catalog.instancesOn(node), this.#sight.instance);
    return this.#pasts([{ Node: node, ID: '' }, ...there], history.goneOn(node));
  }

  /** What a node's own checks were, for whoever may see an instance on it. */
  nodeOf({ node }: Past): Past | undefined {
    return this.#state.history.nodeOf(node);
  }

  /** The checks that count for it by now: its node's, and its own. */
  checksFor({ node, id }: Past): Iterable<Check> {
    const { catalog } = this.#state;
    const all = [...catalog.checksOf(node, ''), ...(id === '' ? [] : catalog.checksOf(node, id))];
    return this.#sight.of(all, this.#sight.check);
  }

  /** Since when a check that was handed out says what it does; undefined where nobody remembers. */
  changedAt({ Node, ServiceID, CheckID }: Check): number | undefined {
    return this.#state.history.checkChangedAt(Node, ServiceID, CheckID);
  }

  /** Of what was handed out. */
  get history(): Pick<History, 'changesOf' | 'text' | 'gaps' | 'forgotten'> {
    return this.#state.history;
  }

  /** How long the servers may hear nothing of an agent that lives, as many as there are by now. */
  get beats(): { readonly everyMs: number; readonly lateMs: number } {
    const agent = { Tags: {} };
    const everyMs = beatMs(this.#state, agent);
    return { everyMs, lateMs: leaseMs(this.#state, agent) - everyMs };
  }

  #pasts(there: Iterable<{ Node: string; ID: string }>, gone: Iterable<Past>): Iterable<Past> {
    const { history } = this.#state;
    const live = [...there].map(({ Node: node, ID }) => history.live(node, ID));
    const all = [...live.filter((past) => past !== undefined), ...gone];
    return this.#sight.of(all, this.#sight.past);
  }
}
