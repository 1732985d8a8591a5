import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Action } from '../../web/core/action.ts';
import { commandOf, curlOf, curlOfRead } from '../../web/core/commands.ts';
import { deleteFolder, deleteKey, readKeys } from '../../web/core/keys-and-values.ts';
import {
  CASES,
  type Case,
  ELSEWHERE,
  type Given,
  there,
  WAYS_BACK,
} from '../support/page-actions.ts';
import { runWords } from '../support/servers/command-line.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

/** Of a list of all that there is, those that are meant. */
function rowsOf(text: string, n: string): string {
  if (!text.startsWith('[')) return text;
  const rows = JSON.parse(text) as readonly object[];
  const texts = rows.map((row) => JSON.stringify(row));
  return texts.filter((row) => row.includes(n)).join('\n');
}

/** One server, upon which each action is done in each way. */
class Trying {
  readonly #origin: string;
  readonly #folder: string;
  #made = 0;

  constructor(origin: string, folder: string) {
    this.#origin = origin;
    this.#folder = folder;
  }

  async all(name: string, each: Case): Promise<void> {
    const byPage = await this.#effect(name, each, async ({ method, path, body }) => {
      const { status, text } = await this.#ask(method, path, body);
      assert.equal(status, 200, `${name}: ${text}`);
    });
    const byCurl = await this.#effect(name, each, async (action) => {
      await this.run(curlOf(action, { origin: this.#origin, hasToken: true }) ?? '');
    });
    assert.equal(byCurl, byPage, name);
    if (each.hasNoCommand) {
      const { action } = await this.#begin(each);
      assert.equal(commandOf(action, this.#origin), undefined, name);
      return;
    }
    const byCommand = await this.#effect(name, each, async (action) => {
      await this.run(there(commandOf(action, this.#origin)));
    });
    assert.equal(byCommand, byPage, name);
  }

  async #effect(
    name: string,
    each: Case,
    does: (action: Action) => Promise<void>,
  ): Promise<string> {
    const { n, action } = await this.#begin(each);
    const before = await this.#seen(each.at(n), n);
    await does(action);
    const effect = await this.#seen(each.at(n), n);
    assert.notEqual(effect, before, `${name} has no effect`);
    return effect;
  }

  async #begin({ action }: Case) {
    const n = `n-${++this.#made}-x`;
    const put: Given['put'] = async (path, body) => {
      const [method, rest] = path.startsWith('/') ? ['PUT', path] : path.split(' ');
      const { status, text } = await this.#ask(method ?? '', rest ?? '', body);
      assert.equal(status, 200, `${path}: ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    };
    const get: Given['get'] = async (path) => JSON.parse((await this.#ask('GET', path)).text);
    return { n, action: there(await action({ n, put, get })) };
  }

  async #ask(method: string, path: string, body?: object | string) {
    const said = typeof body === 'object' ? JSON.stringify(body) : body;
    const headers = { 'X-Consul-Token': ROOT };
    const init = { method, headers, ...(said !== undefined && { body: said }) };
    const answer = await fetch(this.#origin + path, init);
    return { status: answer.status, text: await answer.text() };
  }

  /** What is there of a name, without what differs each time. */
  async #seen(at: string, n: string): Promise<string> {
    const { status, text } = await this.#ask('GET', at);
    const plain = rowsOf(text, n)
      .replaceAll(n, 'NAME')
      .replaceAll(/"(Create|Modify|Lock)Index":\s?\d+/g, '')
      .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'ID')
      .replaceAll(/"(Hash|CreateTime|CreatedAt|UpdatedAt|LTime)":\s?("[^"]*"|\d+)/g, '');
    return `${status} ${plain}`;
  }

  /** In a shell, in which `proconsul` notes what it was called with; that is run then. */
  async run(text: string): Promise<string> {
    assert.equal(text.includes(ROOT), false);
    const files = ['argv', 'stdin', 'address'].map((name) => join(this.#folder, name));
    const [argv = '', stdin = '', address = ''] = files;
    const noting = `proconsul() { printf '%s\\0' "$@" >${argv}; printf %s "$CONSUL_HTTP_ADDR" >${address}; cat >${stdin}; }`;
    const script = `export CONSUL_HTTP_TOKEN=${ROOT}\n${noting}\n{ ${text}\n} </dev/null`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    if (text.startsWith('curl')) return stdout;
    const [words = '', said = '', at = ''] = files.map((file) => readFileSync(file, 'utf8'));
    const ran = await runWords(words.split('\0').slice(0, -1), {
      env: { CONSUL_HTTP_ADDR: at, CONSUL_HTTP_TOKEN: ROOT },
      stdin: said,
    });
    assert.equal(ran.code, 0, `${text}\n${ran.err}`);
    return ran.out;
  }
}

describe('an action of the page as a command', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'proconsul-commands-'));
  after(() => rmSync(folder, { recursive: true }));
  it('does the same by curl, by proconsul and by the page', async () => {
    const { process } = await startWebServer([ACCESS_CONTROL]);
    const tried = new Trying(`http://127.0.0.1:${process.port}`, folder);
    for (const [name, each] of Object.entries(CASES)) await tried.all(name, each);
  });

  it('is none of what no path leads to, which a transaction reads', async () => {
    const { process, put, get } = await startWebServer([ACCESS_CONTROL]);
    const asked = { origin: `http://127.0.0.1:${process.port}`, hasToken: true };
    const tried = new Trying(asked.origin, folder);
    const row = { ModifyIndex: 7 };
    const key = 'app/../color';
    for (const Key of [key, 'app//color'])
      await put('/v1/txn', [{ KV: { Verb: 'set', Key, Value: btoa('blue') } }], ROOT);
    await put('/v1/kv/color', 'red', ROOT);
    for (const action of [
      deleteKey(key, row),
      deleteFolder('app/../c'),
      deleteFolder('app//'),
      deleteFolder('/'),
    ]) {
      assert.equal(curlOf(action, asked), undefined);
      assert.equal(commandOf(action, asked.origin), undefined);
    }
    assert.ok(curlOfRead('/v1/kv/a/b?c=/../d', asked));
    assert.equal((await get<readonly object[]>('/v1/kv/?recurse', ROOT)).length, 3);
    const read = await tried.run(curlOf(readKeys('get', key), asked) ?? '');
    assert.match(read, /"Value":\s?"Ymx1ZQ=="/);
    const below = await tried.run(curlOf(readKeys('get-tree', 'app/../'), asked) ?? '');
    assert.match(below, /"Key":\s?"app\/\.\.\/color"/);
  });

  it('is made in core/, and each of them is tried', () => {
    const core = new URL('../../web/core/', import.meta.url);
    const tried = new Set(Object.keys(CASES).map((name) => name.split(' ')[0]));
    for (const file of readdirSync(core)) {
      const text = readFileSync(new URL(file, core), 'utf8');
      if (['actions.ts', 'commands.ts', 'secrets.ts'].includes(file)) continue;
      const made = /^export function (\w+)\((?:[^()]|\([^()]*\))*\): Action\b/gm;
      for (const [, name = ''] of text.matchAll(made)) {
        const isKnown = tried.has(name) || WAYS_BACK.includes(name) || ELSEWHERE.includes(name);
        assert.ok(isKnown, `${file}: ${name}`);
      }
    }
    for (const part of ['ui', 'pages']) {
      const place = new URL(`../../web/${part}/`, import.meta.url);
      for (const file of readdirSync(place)) {
        const text = readFileSync(new URL(file, place), 'utf8');
        const isAction = /method: '(PUT|POST|DELETE)',\s*path/.test(text);
        assert.equal(isAction, false, `${file} makes an action of its own`);
      }
    }
  });
});
