/**
 * What all clients were answered, seen together: one index of one question is one answer, whoever gives it,
 * for who waits is woken by an index alone; and no row in an answer is newer than the answer's index.
 */
import type { Answer, Asked } from './client.ts';
import { sha1 } from './redis/scripts.ts';
import { Violations } from './workloads/workload.ts';
import type { World } from './world/world.ts';

/** What is neither of the question nor of the answer: how it was asked, and by whom it was passed on. */
const HOW = /[?&](index|wait|stale|consistent|cached)(=\w+)?(?=&|$)/g;
/** An event's list has a mark of what is in it, which is no index, as Consul's has; a prepared query's says nothing. */
const NO_INDEX = /event\/list|\/v1\/query\//;
/** Where nodes stand is of no index, as in Consul: of two answers that are alike but for their order it says nothing. */
const BY_DISTANCE = /[?&]near=/;

/** Of a longer one its beginning and its sum are kept. */
const MAX_KEPT = 1000;

interface Given {
  readonly text: string;
  readonly by: number;
}

export class Answers {
  readonly #violations: Violations;
  /** By question and index. */
  readonly #given = new Map<string, Given>();

  constructor(world: World) {
    this.#violations = new Violations(world);
  }

  verdict(): readonly string[] {
    return this.#violations.all;
  }

  judge({ method, path, port, token }: Asked, { status, index, text }: Answer): void {
    const isAnswer = status === 200 || status === 404;
    if (method !== 'GET' || !isAnswer || index === 0 || NO_INDEX.test(path)) return;
    this.#judgeRows(path, index, text);
    // Rights change, and their changes are no change of what is asked for.
    if (token !== undefined) return;
    const question = `${path.replace(HOW, '')} ${index}`;
    const known = this.#given.get(question);
    const said = BY_DISTANCE.test(path) ? inAnyOrder(text) : text;
    const given = { text: said.length > MAX_KEPT ? short(said) : said, by: port };
    this.#given.set(question, given);
    if (known === undefined || known.text === given.text) return;
    const what = `${path} at ${index}: ${known.by} said ${known.text}, ${port} ${given.text}`;
    this.#violations.add('one index is of two answers', what);
  }

  #judgeRows(path: string, index: number, text: string): void {
    for (const [, modified] of text.matchAll(/"ModifyIndex":(\d+)/g)) {
      if (Number(modified) <= index) continue;
      this.#violations.add('an answer has a row that is newer', `${path} at ${index}: ${modified}`);
    }
  }
}

function inAnyOrder(text: string): string {
  const rows = JSON.parse(text) as readonly unknown[];
  return rows
    .map((row) => JSON.stringify(row))
    .sort()
    .join();
}

function short(text: string): string {
  return `${text.slice(0, MAX_KEPT / 4)}… ${sha1(text)}`;
}
