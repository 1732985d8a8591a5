/** One ConfigMap as the cluster has it: read by whoever runs, and written by whoever has the turn. */
import { ProconsulError } from '../../lib/errors.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Mirrored } from '../api/mirror.ts';
import { objectIn, objectsIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { isManagedBy, ownedLabels } from '../ours.ts';
import { type Contents, contentsOf, dataOf, sameContents } from './contents.ts';
import { type MapRule, shownMap } from './rules.ts';

export class KeptMap {
  readonly #api: Pick<ApiServer, 'ask'>;
  readonly #rule: MapRule;
  #there: Said | undefined;

  constructor(api: Pick<ApiServer, 'ask'>, rule: MapRule) {
    this.#api = api;
    this.#rule = rule;
  }

  /** As a list of it alone is watched. */
  mirrored(changed: () => void): Omit<Mirrored<Said>, 'whole'> {
    return {
      path: '/api/v1/configmaps',
      fieldSelector: this.#selector,
      keep: (object) => object,
      changed: (_, now) => {
        // What this wrote itself is known before the watch brings it.
        if (now !== undefined && isOlder(now, this.#there)) return;
        this.#there = now;
        changed();
      },
    };
  }

  /** As it is now: the watch may be behind what another wrote and said to be agreed. */
  async readAnew(signal: AbortSignal): Promise<void> {
    const query = { fieldSelector: this.#selector };
    const { json } = await this.#api.ask({ method: 'GET', path: this.#path, query }, signal);
    const [now] = objectsIn(json['items']);
    if (now === undefined || !isOlder(now, this.#there)) this.#there = now;
  }

  /** Undefined where there is none. */
  get contents(): Contents | undefined {
    return this.#there === undefined ? undefined : contentsOf(this.#there);
  }

  /** Somebody else made it, and has not said that this may write there. */
  get isOthers(): boolean {
    if (this.#there === undefined) return false;
    const labels = pairsIn(objectIn(this.#there['metadata'])['labels']);
    return !isManagedBy(labels, this.#rule.owner);
  }

  /** One that nobody needs yet is not made: pods wait for it, and would begin without what they need. */
  differs(wanted: Contents): boolean {
    const { contents } = this;
    return contents === undefined ? wanted.size > 0 : !sameContents(contents, wanted);
  }

  /** Whether anything was written; only as it was last seen. Rejects where it is not taken. */
  async write(wanted: Contents, signal: AbortSignal): Promise<boolean> {
    if (!this.differs(wanted)) return false;
    const there = this.#there;
    const { namespace, name, owner } = this.#rule;
    const path = this.#path;
    const made = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: ownedLabels(owner) },
    };
    const request =
      there === undefined
        ? { method: 'POST' as const, path, body: { ...made, ...dataOf(wanted) } }
        : {
            method: 'PUT' as const,
            path: `${path}/${name}`,
            body: { ...there, ...dataOf(wanted) },
          };
    const { status, json } = await this.#api.ask({ ...request, accept: [409] }, signal);
    // The watch brings what is there instead.
    if (status === 409) {
      throw new ProconsulError('busy', `${shownMap(this.#rule)} was written by another meanwhile`);
    }
    this.#there = json;
    return true;
  }

  get #selector(): string {
    return `metadata.name=${this.#rule.name}`;
  }

  get #path(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#rule.namespace)}/configmaps`;
  }
}

/** Versions of one server can be compared; of a list that was restored they begin anew, and are smaller for long. */
function isOlder(now: Said, there: Said | undefined): boolean {
  const [a, b] = [now, there].map((each) => objectIn(each?.['metadata']));
  if (a?.['uid'] !== b?.['uid']) return false;
  const [is, was] = [a, b].map((each) => textIn(each?.['resourceVersion']));
  if (!/^\d{1,20}$/.test(is ?? '') || !/^\d{1,20}$/.test(was ?? '')) return false;
  return BigInt(is ?? 0) < BigInt(was ?? 0);
}
