import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { SimCluster } from '../cluster.ts';
import type { Reply } from '../redis/reply.ts';
import { RedisError } from '../redis/reply.ts';
import { type Call, LuaScripts, sha1 } from '../redis/scripts.ts';
import { compile } from './compile.ts';
import { Interpreter } from './interpreter.ts';
import { LuaError, one, Table } from './values.ts';

/** Runs each script in fengari too, to which Redis answers as it did. */
class Compared extends LuaScripts {
  readonly #interpreter = new Interpreter();
  readonly #texts = new Map<string, string>();
  compared = 0;

  override eval(
    script: { name: string; text?: string },
    args: { keys: readonly string[]; argv: readonly string[] },
    call: Call,
  ): Reply {
    const said: { words: readonly string[]; reply: Reply }[] = [];
    const answer = super.eval(script, args, (words) => {
      const reply = call(words);
      said.push({ words, reply });
      return reply;
    });
    // After a restart it knows none of them.
    if (answer instanceof RedisError && answer.message.startsWith('NOSCRIPT')) return answer;
    if (script.text !== undefined) this.#texts.set(script.name, script.text);
    const text = this.#texts.get(script.name);
    if (text === undefined) return answer;
    const expected = this.#interpreter.eval({ ...script, text }, args, (words) => {
      // In whatever order: `pairs` has none.
      const at = said.findIndex((each) => isDeepStrictEqual(each.words, words));
      const [next] = said.splice(at, 1);
      assert(at >= 0 && next !== undefined, words.join(' '));
      return next.reply;
    });
    assert.deepEqual(said, []);
    assert.deepEqual(answer, expected);
    this.compared++;
    return answer;
  }
}

describe('Lua, compiled', () => {
  it("says and asks what another Lua does, of all the log's scripts that a run meets", async () => {
    const scripts = [new Compared(), new Compared()];
    const cluster = new SimCluster({ seed: 3, log: 'quorum', agents: 1, scripts });
    const { world, servers } = cluster;
    try {
      await world.until(
        (async () => {
          await cluster.start();
          await world.sleep(1500);
          servers[1]?.process?.saveSnapshotSoon();
          await world.sleep(1000);
          cluster.failOver(0);
          await world.sleep(4000);
          cluster.master.restart(100, 3000);
          await world.sleep(4000);
        })(),
      );
    } finally {
      await cluster.end();
    }
    for (const { compared } of scripts) assert(compared > 100, `${compared}`);
  }).timeout(0);

  const CASES: readonly (readonly [script: string, answer: unknown])[] = [
    ['local a, b = unpack({ 1, 2, 3 }) return a + b', 3],
    ['local n = 0 for i = 10, 1, -3 do n = n * 100 + i end return n', 10070401],
    ["return 1 .. '' .. 1700000000000", '11700000000000'],
    ["return 100000000000000 .. ''", '1e+14'],
    ["return ('5' + 1) * 2 - #'abc' / 3", 11],
    ["return 'a' < 'b' and not (2 <= 1) and 'yes' or 'no'", 'yes'],
    ['return nil == false', false],
    ['local n = 0 for k, v in pairs({ 5, [7] = 2, x = 1 }) do n = n + v end return n', 8],
    ["return 0 and '' and 'both are true'", 'both are true'],
    ["local t = { 1, 2 } t[3] = 3 t[#t] = nil t.x = 'y' return #t .. t.x", '2y'],
    ["return string.match('run_id:0af-', 'run_id:(%x+)')", '0af'],
    ["local a, b = string.match('12 -x 7', '^(%d+) .* (%S+)$') return a .. b", '127'],
    ["return string.sub('abcdef', -3) .. string.sub('abc', 1, 2)", 'defab'],
    ['local n repeat local m = (n or 0) + 1 n = m until m > 4 return n', 5],
    ['local x = 1 do_nothing = nil return x', undefined],
  ];
  for (const [script, answer] of CASES) {
    it(`knows what this comes to: ${script}`, () => {
      const redis = {};
      if (answer === undefined) {
        assert.throws(() => compile(script));
        return;
      }
      assert.equal(one(compile(script)(redis, new Table(), new Table())), answer);
    });
  }

  for (const script of [
    "return string.rep('a', 3)",
    "redis.log(redis.LOG_WARNING, 'x') return 1",
    "return string.find('a.b', '.', 1, true)",
    "return tonumber('ff', 16)",
    "return string.format('%s', 1)",
    'while true do end',
    'return setmetatable({}, {})',
  ]) {
    it(`says that it does not know it, whatever a script would make of an error: ${script}`, () => {
      const none = { keys: [], argv: [] };
      const ask = () =>
        new LuaScripts().eval({ name: sha1(script), text: script }, none, () => null);
      assert.throws(
        ask,
        (error) => !(error instanceof LuaError) && /known here/.test(String(error)),
      );
    });
  }

  it('raises where Lua raises', () => {
    for (const script of [
      'return nil + 1',
      'return nil .. 1',
      'return (nil).x',
      "return 1 < '2'",
    ]) {
      assert.throws(() => compile(script)({}, new Table(), new Table()), LuaError, script);
      const none = { keys: [], argv: [] };
      const answer = new Interpreter().eval({ name: sha1(script), text: script }, none, () => null);
      assert(answer instanceof RedisError, script);
    }
  });
});
