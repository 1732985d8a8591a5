/**
 * Runs scripts in fengari, a Lua that was not made for them, to which the compiled ones are compared.
 * It is of 5.3, made to count as Redis's 5.1 does: all numbers are doubles, and `%d` takes any that
 * is whole.
 */
import { createHash } from 'node:crypto';
import fengari from 'fengari';
import { RedisError, type Reply, Status } from '../redis/reply.ts';
import type { Call } from '../redis/scripts.ts';

const { lua, lauxlib, lualib } = fengari;

const PRELUDE = `
unpack = table.unpack
local whole, format = tonumber, string.format
tonumber = function(text, base)
  local n = whole(text, base)
  return n and n + 0.0
end
string.format = function(form, ...)
  if form == '%d' then return whole_text(...) end
  return format(form, ...)
end
`;

const KEPT_CHARS = 64;

export class Interpreter {
  readonly #state = lauxlib.luaL_newstate();
  readonly #texts = new Map<string, Uint8Array>();
  readonly #scripts = new Map<string, number>();
  #call: Call = () => null;

  constructor() {
    const state = this.#state;
    lualib.luaL_openlibs(state);
    lua.lua_createtable(state, 0, 4);
    this.#define('call', (s) => this.#redisCall(s, true));
    this.#define('pcall', (s) => this.#redisCall(s, false));
    this.#define('sha1hex', (s) => {
      const bytes = Buffer.from(this.#text(s, 1), 'latin1');
      lua.lua_settop(s, 0);
      this.#push(createHash('sha1').update(bytes).digest('hex'));
      return 1;
    });
    this.#define('error_reply', (s) => {
      const text = this.#text(s, 1);
      lua.lua_settop(s, 0);
      this.#push(new RedisError(text));
      return 1;
    });
    lua.lua_setglobal(state, this.#bytes('redis'));
    lua.lua_pushcfunction(state, (s) => {
      const n = lua.lua_tonumber(s, 1);
      lua.lua_settop(s, 0);
      this.#push(Math.trunc(n).toFixed(0));
      return 1;
    });
    lua.lua_setglobal(state, this.#bytes('whole_text'));
    this.#run(this.#load(PRELUDE));
  }

  /** What the script answers. `name` is its sha; `text` where it comes along. */
  eval(
    { name, text }: { name: string; text?: string },
    { keys, argv }: { keys: readonly string[]; argv: readonly string[] },
    call: Call,
  ): Reply {
    let script = this.#scripts.get(name);
    if (script === undefined) {
      if (text === undefined) return new RedisError('NOSCRIPT No matching script.');
      script = this.#load(text);
      this.#scripts.set(name, script);
    }
    this.#call = call;
    const state = this.#state;
    this.#push(keys);
    lua.lua_setglobal(state, this.#bytes('KEYS'));
    this.#push(argv);
    lua.lua_setglobal(state, this.#bytes('ARGV'));
    return this.#run(script);
  }

  /** As of a process that was started anew. */
  forget(): void {
    this.#scripts.clear();
  }

  #load(text: string): number {
    if (lauxlib.luaL_loadstring(this.#state, latin1(text)) !== 0) {
      throw new Error(this.#text(this.#state, -1));
    }
    return lauxlib.luaL_ref(this.#state, lua.LUA_REGISTRYINDEX);
  }

  #run(script: number): Reply {
    const state = this.#state;
    lua.lua_settop(state, 0);
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, script);
    const failed = lua.lua_pcall(state, 0, 1, 0) !== 0;
    const answer = failed ? this.#failure() : this.#reply(1);
    lua.lua_settop(state, 0);
    return answer;
  }

  #failure(): RedisError {
    const isTable = lua.lua_type(this.#state, -1) === lua.LUA_TTABLE;
    const answer = isTable ? this.#reply(lua.lua_gettop(this.#state)) : undefined;
    if (answer instanceof RedisError) return answer;
    return new RedisError(`ERR ${this.#text(this.#state, -1)}`);
  }

  #define(name: string, fn: (state: unknown) => number): void {
    lua.lua_pushcfunction(this.#state, fn);
    lua.lua_setfield(this.#state, -2, this.#bytes(name));
  }

  #redisCall(state: unknown, raises: boolean): number {
    const words: string[] = [];
    for (let i = 1; i <= lua.lua_gettop(state); i++) words.push(this.#text(state, i));
    lua.lua_settop(state, 0);
    const reply = this.#call(words);
    this.#push(reply);
    if (raises && reply instanceof RedisError) return lua.lua_error(state);
    return 1;
  }

  #push(value: Reply): void {
    const state = this.#state;
    if (value === null) lua.lua_pushboolean(state, false);
    else if (typeof value === 'number') lua.lua_pushnumber(state, value);
    else if (typeof value === 'string') lua.lua_pushstring(state, this.#bytes(value));
    else if (value instanceof Status) this.#pushField('ok', value.text);
    else if (value instanceof RedisError) this.#pushField('err', value.message);
    else {
      lua.lua_createtable(state, value.length, 0);
      for (let i = 0; i < value.length; i++) {
        this.#push(value[i] as Reply);
        lua.lua_rawseti(state, -2, i + 1);
      }
    }
  }

  #pushField(name: string, text: string): void {
    lua.lua_createtable(this.#state, 0, 1);
    this.#push(text);
    lua.lua_setfield(this.#state, -2, this.#bytes(name));
  }

  /** What stands at a place of the stack, as Redis sends it. */
  #reply(at: number): Reply {
    const state = this.#state;
    const type = lua.lua_type(state, at);
    if (type === lua.LUA_TSTRING) return this.#text(state, at);
    if (type === lua.LUA_TNUMBER) return Math.trunc(lua.lua_tonumber(state, at));
    if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(state, at) ? 1 : null;
    if (type !== lua.LUA_TTABLE) return null;
    const top = lua.lua_gettop(state);
    const error = this.#field(at, 'err');
    if (error !== undefined) return new RedisError(error);
    const ok = this.#field(at, 'ok');
    if (ok !== undefined) return new Status(ok);
    const list: Reply[] = [];
    for (let i = 1; ; i++) {
      const isEnd = lua.lua_rawgeti(state, at, i) === lua.LUA_TNIL;
      if (!isEnd) list.push(this.#reply(top + 1));
      lua.lua_settop(state, top);
      if (isEnd) return list;
    }
  }

  #field(at: number, name: string): string | undefined {
    const state = this.#state;
    const top = lua.lua_gettop(state);
    const type = lua.lua_getfield(state, at, this.#bytes(name));
    const text = type === lua.LUA_TSTRING ? this.#text(state, top + 1) : undefined;
    lua.lua_settop(state, top);
    return text;
  }

  /** Numbers as Redis turns them into arguments. */
  #text(state: unknown, at: number): string {
    if (lua.lua_type(state, at) === lua.LUA_TNUMBER) {
      const n = lua.lua_tonumber(state, at);
      return Number.isInteger(n) ? n.toFixed(0) : String(n);
    }
    const bytes = lua.lua_tolstring(state, at);
    if (bytes === null) return '';
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }

  #bytes(text: string): Uint8Array {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const bytes = latin1(text);
    if (text.length <= KEPT_CHARS && this.#texts.size < 10_000) this.#texts.set(text, bytes);
    return bytes;
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
