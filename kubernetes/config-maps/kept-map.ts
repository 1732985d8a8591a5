/** One ConfigMap as the cluster has it: read by whoever runs, and written by whoever has the turn. */
import { ProconsulError } from '../../lib/errors.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { Mirrored } from '../api/mirror.ts';
import { isOlder, objectIn, objectsIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { isManagedBy, ownedLabels } from '../ours.ts';
import { serialIn } from './agreed.ts';
import { type Contents, contentsOf, dataOf, sameContents } from './contents.ts';
import { type MapRule, shownMap } from './rules.ts';

/** The annotation that says of what both sides had agreed on when the map was written. */
const SERIAL = 'proconsul-agreed';

/** As it was at one moment: what is wanted by that is written over that, and over nothing that came since. */
export class SeenMap {
  readonly object: Said | undefined;
  /** Undefined where there is none. */
  readonly contents: Contents | undefined;
  readonly #rule: MapRule;

  constructor(object: Said | undefined, rule: MapRule) {
    this.object = object;
    this.contents = object === undefined ? undefined : contentsOf(object);
    this.#rule = rule;
  }

  /** What both sides had agreed on when this was written last. */
  get serial(): number {
    const meta = objectIn(this.object?.['metadata']);
    return serialIn(pairsIn(meta['annotations']).get(SERIAL));
  }

  /** Somebody else made it, and has not said that this may write there. */
  get isOthers(): boolean {
    if (this.object === undefined) return false;
    const labels = pairsIn(objectIn(this.object['metadata'])['labels']);
    return !isManagedBy(labels, this.#rule.owner);
  }

  /** One that nobody needs yet is not made: pods wait for it, and would begin without what they need. */
  differs(wanted: Contents): boolean {
    const { contents } = this;
    return contents === undefined ? wanted.size > 0 : !sameContents(contents, wanted);
  }
}

export class KeptMap {
  readonly #api: Pick<ApiServer, 'ask'>;
  readonly #rule: MapRule;
  #there: Said | undefined;
  /** What the watch told while a request was under way. */
  #meanwhile: (Said | undefined)[] = [];
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
        this.#meanwhile.push(now);
        if (now !== undefined && isOlder(now, this.#there)) this.isDoubtful = true;
        else this.#there = now;
        changed();
      },
    };
  }

  /** As it is now: the watch may be behind what another wrote and said to be agreed. */
  async readAnew(signal: AbortSignal): Promise<void> {
    const query = { fieldSelector: this.#selector };
    this.#meanwhile = [];
    const { json } = await this.#api.ask({ method: 'GET', path: this.#path, query }, signal);
    if (!/List$/.test(textIn(json['kind']))) {
      throw new ProconsulError('unavailable', `${this.#path}: the answer is no list`);
    }
    [this.#there] = objectsIn(json['items']);
    this.isDoubtful = this.#isOtherwise(this.#there);
  }

  get now(): SeenMap {
    return new SeenMap(this.#there, this.#rule);
  }

  /** Whether anything was written; only as it was last seen. Rejects where it is not taken. */
  async write(
    seen: SeenMap,
    wanted: Contents,
    serial: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!seen.differs(wanted)) return false;
    const there = seen.object;
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
    this.#meanwhile = [];
    const { status, json } = await this.#api.ask({ ...request, accept: [409] }, signal);
    // The watch brings what is there instead.
    if (status === 409) {
      throw new ProconsulError('busy', `${shownMap(this.#rule)} was written by another meanwhile`);
    }
    if (textIn(objectIn(json['metadata'])['resourceVersion']) === '') {
      throw new ProconsulError('unavailable', `${path}: the answer is no ConfigMap`);
    }
    // The watch may have brought what somebody wrote after it, or that it is gone.
    if (this.#isOtherwise(json)) this.isDoubtful = true;
    else this.#there = json;
    return true;
  }

  /** Whether the watch told of anything but this: an answer does not say which of both was sooner. */
  #isOtherwise(answer: Said | undefined): boolean {
    return this.#meanwhile.some((told) => versionOf(told) !== versionOf(answer));
  }

  get #selector(): string {
    return `metadata.name=${this.#rule.name}`;
  }

  get #path(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#rule.namespace)}/configmaps`;
  }
}

function versionOf(object: Said | undefined): string {
  const { uid, resourceVersion } = objectIn(object?.['metadata']);
  return `${textIn(uid)} ${textIn(resourceVersion)}`;
}
