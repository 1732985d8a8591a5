/** Runs the product's own scripts in Redis's Lua: compiled, and with Redis's values as Lua's. */
import { createHash } from 'node:crypto';
import { type Compiled, compile } from '../lua/compile.ts';
import { LuaError, one, Table } from '../lua/values.ts';
import { RedisError, type Reply, Status } from './reply.ts';

/** Runs a command of Redis; an error comes back as a value. */
export type Call = (words: readonly string[]) => Reply;

/** One text is one function, whichever Redis runs it. */
const COMPILED = new Map<string, Compiled>();

export class LuaScripts {
  readonly #known = new Map<string, Compiled>();
  #call: Call = () => null;
  readonly #redis = {
    call: (...args: readonly unknown[]) => {
      const reply = this.#call(args.map(argument));
      if (reply instanceof RedisError) throw new LuaError(toLua(reply));
      return toLua(reply);
    },
    pcall: (...args: readonly unknown[]) => toLua(this.#call(args.map(argument))),
    sha1hex: (text: string) => sha1(text),
    error_reply: (text: string) => toLua(new RedisError(text)),
  };

  /** What the script answers. `name` is its sha; `text` where it comes along. */
  eval(
    { name, text }: { name: string; text?: string },
    { keys, argv }: { keys: readonly string[]; argv: readonly string[] },
    call: Call,
  ): Reply {
    let script = this.#known.get(name);
    if (script === undefined) {
      if (text === undefined) return new RedisError('NOSCRIPT No matching script.');
      script = COMPILED.get(text) ?? compile(text);
      COMPILED.set(text, script);
      this.#known.set(name, script);
    }
    this.#call = call;
    try {
      return toReply(one(script(this.#redis, new Table([...keys]), new Table([...argv]))));
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      const raised = toReply(error.value);
      return raised instanceof RedisError ? raised : new RedisError(`ERR ${error.message}`);
    }
  }

  /** As of a process that was started anew. */
  forget(): void {
    this.#known.clear();
  }
}

export function sha1(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex');
}

/** Numbers as Redis turns them into arguments. */
function argument(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new LuaError('Lua redis() command arguments must be strings or integers');
}

function toLua(reply: Reply): unknown {
  if (reply === null) return false;
  if (typeof reply === 'string' || typeof reply === 'number') return reply;
  if (reply instanceof Status) return withField('ok', reply.text);
  if (reply instanceof RedisError) return withField('err', reply.message);
  return new Table(reply.map(toLua));
}

function withField(name: string, text: string): Table {
  const table = new Table();
  table.set(name, text);
  return table;
}

function toReply(value: unknown): Reply {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Math.trunc(value);
  if (value === true) return 1;
  if (!(value instanceof Table)) return null;
  const { list, fields } = value;
  if (fields?.has('err') === true) return new RedisError(String(fields.get('err')));
  if (fields?.has('ok') === true) return new Status(String(fields.get('ok')));
  const end = list.indexOf(undefined);
  return (end < 0 ? list : list.slice(0, end)).map(toReply);
}
