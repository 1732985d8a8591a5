/** One ConfigMap as the cluster has it: read by whoever runs, and written by whoever has the turn. */
import { ProconsulError } from '../../lib/errors.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Mirrored } from '../api/mirror.ts';
import { objectIn, objectsIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { isManagedBy, ownedLabels } from '../ours.ts';
import { serialIn } from './agreed.ts';
import { type Contents, contentsOf, dataOf, sameContents } from './contents.ts';
import { type MapRule, shownMap } from './rules.ts';

/** The annotation that says of what both sides had agreed on when the map was written. */
const SERIAL = 'proconsul-agreed';

export class KeptMap {
  readonly #api: Pick<ApiServer, 'ask'>;
  readonly #rule: MapRule;
  #there: Said | undefined;
  /** What was told last is older than what is known: the watch is behind, or the cluster was restored. */
  isDoubtful = false;

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
        // What was read anew is known before the watch brings what was before it.
        if (now !== undefined && isOlder(now, this.#there)) this.isDoubtful = true;
        else this.#there = now;
        changed();
      },
    };
  }

  /** As it is now: the watch may be behind what another wrote and said to be agreed. */
  async readAnew(signal: AbortSignal): Promise<void> {
    const query = { fieldSelector: this.#selector };
    const { json } = await this.#api.ask({ method: 'GET', path: this.#path, query }, signal);
    if (!/List$/.test(textIn(json['kind']))) {
      throw new ProconsulError('unavailable', `${this.#path}: the answer is no list`);
    }
    [this.#there] = objectsIn(json['items']);
    this.isDoubtful = false;
  }

  /** What both sides had agreed on when this was written last. */
  get serial(): number {
    const meta = objectIn(this.#there?.['metadata']);
    return serialIn(pairsIn(meta['annotations']).get(SERIAL));
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
  async write(wanted: Contents, serial: number, signal: AbortSignal): Promise<boolean> {
    if (!this.differs(wanted)) return false;
    const there = this.#there;
    const { namespace, name, owner } = this.#rule;
    const path = this.#path;
    const meta = objectIn(there?.['metadata'] ?? { name, namespace, labels: ownedLabels(owner) });
    const said = serial > 0 && { [SERIAL]: String(serial) };
    const annotations = { ...objectIn(meta['annotations']), ...said };
    const body = {
      ...(there ?? { apiVersion: 'v1', kind: 'ConfigMap' }),
      ...dataOf(wanted),
      metadata: { ...meta, ...(Object.keys(annotations).length > 0 && { annotations }) },
    };
    const request =
      there === undefined
        ? { method: 'POST' as const, path, body }
        : { method: 'PUT' as const, path: `${path}/${name}`, body };
    const { status, json } = await this.#api.ask({ ...request, accept: [409] }, signal);
    // The watch brings what is there instead.
    if (status === 409) {
      throw new ProconsulError('busy', `${shownMap(this.#rule)} was written by another meanwhile`);
    }
    if (textIn(objectIn(json['metadata'])['resourceVersion']) === '') {
      throw new ProconsulError('unavailable', `${path}: the answer is no ConfigMap`);
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
