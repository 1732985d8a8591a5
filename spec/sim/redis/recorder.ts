/** What one simulated Redis was told, in the form in which a real one may be: time and process as they were there. */
import { RedisError, type Reply } from './reply.ts';
import { LuaScripts, sha1 } from './scripts.ts';
import type { RedisTap } from './sim-redis.ts';
import type { Effect, Store } from './store.ts';

export interface Step {
  readonly words: readonly string[];
  /** Undefined for what no client asked for. */
  readonly reply?: Reply;
}

/** They change nothing, and are of one process, connection or moment. */
const OWN = new Set('CLIENT SELECT PING INFO XREAD PTTL'.split(' '));
/** Refused before anything is done, by what a real one knows nothing of. */
const REFUSED = /^(NOSCRIPT|READONLY)/;
/** Nothing is to expire while a real one is told. */
const LONGER = 1000;

export class Recorder implements RedisTap {
  readonly steps: Step[] = [];
  readonly scripts: LuaScripts = new Listening((words, reply) => this.#hear(words, reply));
  readonly #texts = new Map<string, string>();
  /** What the script that has just run was told of time and process. */
  #told: string[] = [];

  #hear([name]: readonly string[], reply: Reply): void {
    if (name === undefined) this.#told = [];
    if (name === 'TIME') this.#told.push(`{${(reply as string[]).map((each) => `'${each}'`)}}`);
    if (name === 'INFO') this.#told.push(JSON.stringify(String(reply)));
  }

  onCommand(words: readonly string[], reply: Reply): void {
    const [first = '', text = '', ...args] = words;
    const name = first.toUpperCase();
    if (OWN.has(name) || (reply instanceof RedisError && REFUSED.test(reply.message))) return;
    if (name === 'EVAL') this.#texts.set(sha1(text), text);
    const source = name === 'EVAL' ? text : this.#texts.get(text);
    const said = source === undefined ? longer(words) : ['EVAL', this.#asThen(source), ...args];
    this.steps.push({ words: said, reply });
  }

  onLoss(words: Effect): void {
    this.steps.push({ words });
  }

  onReplaced(store: Store): void {
    this.steps.push({ words: ['FLUSHALL'] }, ...store.asWritten().map((words) => ({ words })));
  }

  #asThen(source: string): string {
    const all = `local then_i, then_all = 0, {${this.#told.join(', ')}}`;
    const next = 'local function as_then() then_i = then_i + 1 return then_all[then_i] end';
    const text = source
      .replaceAll(/redis\.call\('(?:TIME'|INFO', '\w+')\)/g, 'as_then()')
      .replaceAll(/('PEXPIRE', .*?), (\d+)\)/g, `$1, $2 * ${LONGER})`);
    return `${all} ${next} ${text}`;
  }
}

class Listening extends LuaScripts {
  readonly #hear: (words: readonly string[], reply: Reply) => void;

  constructor(hear: (words: readonly string[], reply: Reply) => void) {
    super();
    this.#hear = hear;
  }

  override eval(...[script, args, call]: Parameters<LuaScripts['eval']>): Reply {
    this.#hear([], null);
    return super.eval(script, args, (words) => {
      const reply = call(words);
      this.#hear(words, reply);
      return reply;
    });
  }
}

function longer(words: readonly string[]): readonly string[] {
  return words.map((each, i) => (words[i - 1] === 'PX' ? String(Number(each) * LONGER) : each));
}
