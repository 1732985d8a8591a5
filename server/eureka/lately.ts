/**
 * Lists of all instances are asked for by everybody, and changed by each change: one that takes long to make is
 * given again for some times as long, so that making lists never takes more than a part of the time. A real
 * Eureka gives the same list for 30 s.
 */
import { ByteCache } from '../../lib/byte-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasRoom, inLine, type Looker } from '../../lib/looking.ts';
import type { Work } from '../../lib/slices.ts';
import type { Answers } from '../query/answers.ts';
import type { Answer } from '../query/live-answer.ts';
import type { Question } from '../query/query.ts';

/** So many times as long as it took. */
const TIMES = 20;
/** What is made in less is made anew, as long as what is asked of it is. */
const MIN_MS = 2;
const MAX_MS = 5000;
const MAX_BYTES = 64 * 1024 * 1024;
/** What is written in slices takes about so long for its bytes, beside all else that goes on meanwhile. */
const BYTES_PER_MS = 64 * 1024;

/** When it was begun, and what of it was done at once. */
interface Took {
  readonly now: number;
  readonly tookMs: number;
}

interface Lately {
  readonly answer: Answer;
  readonly until: number;
}

type Clocked = Pick<Clock, 'monotonic'>;

export class LatelyAnswered {
  readonly #answers: Pick<Answers, 'read'>;
  readonly #clock: Clocked;
  readonly #kept = new ByteCache<string, Lately>({ maxBytes: MAX_BYTES });

  constructor(answers: Pick<Answers, 'read'>, clock: Clocked) {
    this.#answers = answers;
    this.#clock = clock;
  }

  /** As `read`, in line where it has to be made and the turn has no room for it. */
  readInRoom(what: string, question: Question, asking: Looker): Answer | Promise<Answer> {
    const isAtHand = this.#known(keyOf(what, question)) !== undefined || hasRoom();
    const read = () => this.read(what, question);
    return isAtHand ? read() : inLine(asking, read);
  }

  /** `what`: the list that is asked for; which moment of the log it is about may differ. */
  read(what: string, question: Question): Answer {
    const key = keyOf(what, question);
    const known = this.#known(key);
    if (known !== undefined) return known;
    const now = this.#clock.monotonic();
    const answer = this.#answers.read(question);
    const tookMs = this.#clock.monotonic() - now;
    const { body } = answer;
    if (!Buffer.isBuffer(body)) this.#keepMade(key, answer, body, { now, tookMs });
    else if (tookMs < MIN_MS) this.#kept.delete(key);
    else this.#keep(key, answer, body.length, now + tookMs * TIMES);
    return answer;
  }

  #known(key: string): Answer | undefined {
    const known = this.#kept.get(key)?.value;
    return known !== undefined && this.#clock.monotonic() < known.until ? known.answer : undefined;
  }

  #keep(key: string, answer: Answer, bytes: number, until: number): void {
    const most = this.#clock.monotonic() + MAX_MS;
    this.#kept.keep(key, { answer, until: Math.min(until, most) }, bytes);
  }

  /** Nobody begins another one while it is being made; one that cannot be made is nobody's. */
  #keepMade(key: string, answer: Answer, work: Work<Buffer>, { now, tookMs }: Took): void {
    this.#keep(key, answer, work.holds, Number.POSITIVE_INFINITY);
    const isKept = () => this.#kept.peek(key)?.value.answer === answer;
    work.result.then(
      ({ length }) => {
        const inAll = tookMs + length / BYTES_PER_MS;
        if (isKept()) this.#keep(key, answer, length, now + inAll * TIMES);
      },
      () => isKept() && this.#kept.delete(key),
    );
  }
}

function keyOf(what: string, { rights }: Question): string {
  return JSON.stringify([what, rights.key]);
}
