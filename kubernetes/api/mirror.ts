/**
 * Keeps in step with a list of the API server: lists it once, then watches from there. What changed is told
 * object by object; when the server has forgotten too much, the list is read anew and what is gone is told too.
 */
import { type Clock, pause } from '../../lib/clock.ts';
import { type ErrorCode, messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { retryMs } from '../../lib/retries.ts';
import { Waiters } from '../../lib/waiters.ts';
import type { ApiServer } from './api-server.ts';
import { objectIn, objectsIn, type Said, textIn } from './shapes.ts';

/** Of a list that has no larger objects than most. */
const PAGE = 500;
/** A server that goes on without anything more has no end, nor has one with more than any cluster. */
const MAX_EMPTY_PAGES = 100;
const MAX_OBJECTS = 1_000_000;
/** A server ends a watch after so long; it is asked to, so that a new token counts and a dead stream ends. */
const WATCH_S = 240;
/** A server that watches for bookmarks says one each minute: one that says nothing for longer is gone. */
const IDLE_MS = 75_000;
/** Only one client asks, and a cluster that is back is to be seen at once. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 250;
/** Nobody but a list that was read ends this wait. */
const PATIENCE_MS = 3600_000;
/** Where each watch ends as soon as it began, after a list that counted for nothing. */
const MAX_RELIST_MS = 10_000;
const SHORT_WATCH_MS = 5000;

/** Namespace and name, which no two objects of a list share. */
function keyOf(object: Said): string {
  const { namespace, name } = objectIn(object['metadata']);
  return `${textIn(namespace)}/${textIn(name)}`;
}

/** Which objects of a list; all where nothing is said. */
interface Selectors {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Mirrored<T> extends Selectors {
  /** Of the list, as `/api/v1/services`. */
  readonly path: string;
  /** What is kept of an object, of which `before` is known; undefined for one that does not count. */
  readonly keep: (object: Said, before?: T) => T | undefined;
  /** Told once for each change, and while the first list comes in too; and where a list is read anew, of what is not the same object as before. */
  readonly changed: (key: string, now: T | undefined, before: T | undefined) => void;
  /** The first list is complete. */
  readonly whole: () => void;
  /** It can be read again after so long: all that changed meanwhile comes now. */
  readonly back?: (lostMs: number) => void;
}

function selectorsOf({ labelSelector, fieldSelector }: Selectors) {
  return {
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  };
}

export interface MirrorDeps {
  readonly api: Pick<ApiServer, 'ask' | 'watch'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'next'>;
  readonly logger: Logger;
}

export class Mirror<T> {
  readonly #deps: MirrorDeps;
  readonly #mirrored: Mirrored<T>;
  readonly #notices: Notices;
  readonly #objects = new Map<string, T>();
  #isWhole = false;
  /** Of the list as it is known; '' when it has to be read anew. */
  #version = '';
  #failuresInRow = 0;
  /** In a row that no watch went on from. */
  #vainLists = 0;
  /** Objects in a page: fewer where they are so large that an answer has too many bytes. */
  #page = PAGE;
  #lostAt: number | undefined;
  /** Lists that were begun, the last of those that came to their end, and the one that somebody waits for. */
  #begun = 0;
  #done = 0;
  #wanted = 0;
  /** Ends a watch, for a list to be read. */
  #ending = new AbortController();
  readonly #listed: Waiters;
  /** How often it was read whole, and how often it could not be read. */
  lists = 0;
  failures = 0;

  constructor(deps: MirrorDeps, mirrored: Mirrored<T>) {
    this.#deps = deps;
    this.#mirrored = mirrored;
    this.#notices = new Notices((text) => deps.logger.warn(`k8s: ${text}`));
    this.#listed = new Waiters(deps.clock);
  }

  /** Before, what is not there may only not have been read yet. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Since when it is not known what changes, by the clock that never goes back; undefined while it is. */
  get lostAt(): number | undefined {
    return this.#lostAt;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#objects.entries();
  }

  /** Resolves when the signal is aborted, and never before. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const code = await this.#follow(signal);
      const isAsked = code === undefined && this.#isBehind;
      if (!signal.aborted && !isAsked) await pause(this.#deps.clock, this.#retryMs(code), signal);
    }
  }

  /**
   * Resolves once the whole list was read as it was after this was called, or the signal is aborted: a watch may be silent
   * because nothing changes, or because nothing comes through.
   */
  async listAnew(signal: AbortSignal): Promise<void> {
    const wanted = this.#begun + 1;
    this.#wanted = wanted;
    this.#ending.abort();
    while (this.#done < wanted && !signal.aborted) await this.#listed.wait(PATIENCE_MS, signal);
  }

  /** Somebody waits for a list that was not begun, or did not come to its end. */
  get #isBehind(): boolean {
    return this.#done < this.#wanted;
  }

  /** Reads on until a watch ends; what was wrong with it, if anything. */
  async #follow(signal: AbortSignal): Promise<ErrorCode | undefined> {
    try {
      if (this.#version === '' || this.#isBehind) await this.#list(signal);
      if (!this.#isBehind && !(await this.#watch(signal))) this.#version = '';
      return undefined;
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // What a watch cannot bring comes again from the same version, each time.
      if (error.code === 'not-found' || error.code === 'too-large') this.#version = '';
      if (error.code === 'too-large') this.#page = Math.max(1, this.#page >> 1);
      this.#lostAt ??= this.#deps.clock.monotonic();
      if (!signal.aborted) {
        this.failures++;
        this.#notices.tell('', `cannot read ${this.#mirrored.path}: ${messageOf(error)}`);
      }
      return error.code;
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { path } = this.#mirrored;
    const [number, isAsked] = [++this.#begun, this.#isBehind];
    const found = new Map<string, T>();
    let [version, next, empty] = ['', '', 0];
    do {
      const before = found.size;
      [version, next] = await this.#readPage(next, found, signal);
      empty = found.size === before ? empty + 1 : 0;
      if (empty > MAX_EMPTY_PAGES || found.size > MAX_OBJECTS) {
        throw new ProconsulError('unavailable', `${path}: the list has no end`);
      }
    } while (next !== '');
    if (version === '') throw new ProconsulError('unavailable', `${path}: the list has no version`);
    this.lists++;
    this.#takeOver(found);
    this.#version = version;
    // One after the other says nothing new: what is told is that it cannot be watched.
    if (isAsked || this.#vainLists++ === 0) this.#reads();
    this.#isRead();
    this.#done = number;
    this.#listed.wakeAll();
  }

  /** The version of the list, and what its next page is asked for by. */
  async #readPage(
    page: string,
    found: Map<string, T>,
    signal: AbortSignal,
  ): Promise<[version: string, next: string]> {
    const { path, keep } = this.#mirrored;
    const query = {
      limit: String(this.#page),
      ...selectorsOf(this.#mirrored),
      ...(page !== '' && { continue: page }),
    };
    const { json } = await this.#deps.api.ask({ method: 'GET', path, query }, signal);
    const meta = objectIn(json['metadata']);
    // An answer that only looks like an empty list would have all that is known taken out.
    if (!/List$/.test(textIn(json['kind']))) {
      throw new ProconsulError('unavailable', `${path}: the answer is no list`);
    }
    for (const object of objectsIn(json['items'])) {
      const key = keyOf(object);
      const kept = keep(object, this.#objects.get(key));
      if (kept !== undefined) found.set(key, kept);
    }
    return [textIn(meta['resourceVersion']), textIn(meta['continue'])];
  }

  #isRead(): void {
    if (this.#lostAt === undefined) return;
    const lostMs = this.#deps.clock.monotonic() - this.#lostAt;
    this.#lostAt = undefined;
    this.#mirrored.back?.(lostMs);
  }

  #reads(): void {
    this.#isRead();
    const { path } = this.#mirrored;
    if (this.#notices.clear('')) this.#deps.logger.info(`k8s: reads ${path} again`);
  }

  #takeOver(found: ReadonlyMap<string, T>): void {
    for (const key of [...this.#objects.keys()]) if (!found.has(key)) this.#set(key, undefined);
    for (const [key, object] of found) this.#set(key, object);
    if (this.#isWhole) return;
    this.#isWhole = true;
    this.#mirrored.whole();
  }

  /** Whether another watch may go on where this one has ended. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { path } = this.#mirrored;
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.round(WATCH_S * (1 + this.#deps.random.next()))),
      ...selectorsOf(this.#mirrored),
    };
    const { api, clock } = this.#deps;
    const began = clock.monotonic();
    // It may have nothing to say for a while, and is read all the same.
    const opened = () => this.#isRead();
    let hasSpoken = false;
    this.#ending = new AbortController();
    const until = this.#ending.signal;
    for await (const line of api.watch({ path, query, idleMs: IDLE_MS, opened, until }, signal)) {
      if (!this.#take(line)) return false;
      hasSpoken = true;
      [this.#failuresInRow, this.#vainLists] = [0, 0];
      this.#reads();
    }
    if (clock.monotonic() - began > SHORT_WATCH_MS) this.#vainLists = 0;
    // A silent one may wait for a version that the server has never had, as after a restore of its store.
    return hasSpoken;
  }

  /** False where the server has forgotten what came after the version that was asked for. */
  #take(line: Said): boolean {
    const object = objectIn(line['object']);
    switch (line['type']) {
      case 'ADDED':
      case 'MODIFIED': {
        const key = keyOf(object);
        this.#set(key, this.#mirrored.keep(object, this.#objects.get(key)));
        break;
      }
      case 'DELETED':
        this.#set(keyOf(object), undefined);
        break;
      case 'BOOKMARK':
        break;
      default: {
        if (object['code'] === 410) return false;
        const why = textIn(object['message']) || textIn(object['reason']) || 'no object';
        throw new ProconsulError('not-found', `the watch says: ${why}`);
      }
    }
    this.#version = textIn(objectIn(object['metadata'])['resourceVersion']) || this.#version;
    return true;
  }

  #set(key: string, now: T | undefined): void {
    const before = this.#objects.get(key);
    if (now === before) return;
    if (now === undefined) this.#objects.delete(key);
    else this.#objects.set(key, now);
    this.#mirrored.changed(key, now, before);
  }

  /** What is refused is not given soon; a server that is away may be back in a moment. */
  #retryMs(code: ErrorCode | undefined): number {
    const { random } = this.#deps;
    const failures = ++this.#failuresInRow;
    if (code === 'forbidden' || code === 'unauthorized') return retryMs(failures, random);
    const most = this.#version === '' && this.#vainLists > 2 ? MAX_RELIST_MS : MAX_RETRY_MS;
    const base = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), most);
    return base * (1 + random.next());
  }
}
