import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS, type CommandEntry, type CommandNode } from '../../cli/command-tree.ts';
import { commandLineOf } from '../support/servers/command-line.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { until } from '../support/until.ts';

function entries(node: CommandNode, words: readonly string[] = []): [string, CommandEntry][] {
  if (!('commands' in node)) return [[words.join(' '), node]];
  return [...node.commands].flatMap(([name, next]) => entries(next, [...words, name]));
}

/** Answers of what is no agent, or of one that has gone wrong. */
const STRANGE: readonly (readonly [status: number, text: string])[] = [
  [200, '<!doctype html><title>Sign in</title><body>\x1b[2J'],
  [502, '<html><head><title>Bad Gateway</title></head>'],
  [200, ''],
  [200, 'null'],
  [200, '{}'],
  [200, '[]'],
  [200, '[null]'],
  [200, '[{}]'],
  [200, '"text"'],
  [200, '{"a":{"b":[1,null]}}'],
  [200, '7'],
];
/** A command that asks again and again is told to end. */
const ENOUGH = 30;

/** Where the example would write here, or needs what is not there. */
function wordsOf(name: string, example: string, folder: string): string {
  if (name === 'snapshot save') return `${name} ${join(folder, 'a.snap')}`;
  if (name === 'snapshot agent') return `${name} -interval=0 -local-path=${folder}`;
  if (name === 'debug') return `${name} -duration=10s -interval=5s -output=${join(folder, 'd')}`;
  if (name === 'lock') return `${name} -timeout=50ms a true`;
  if (name === 'exec') return `${name} -wait=50ms true`;
  if (name === 'kv import') return `${name} []`;
  if (name === 'login') return `${name} -method=a -token-sink-file=${join(folder, 'sink')}`;
  return `${name} ${example}`.trim();
}

describe('commands whose agent answers strangely', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-strange-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, entry] of entries(COMMANDS)) {
    it(`${name} says so in a sentence, and ends`, async () => {
      const { examples = [], http, refused } = await entry.load();
      if (http === 'none' || refused === true || name === 'connect proxy') return;
      for (const [status, text] of STRANGE) {
        let asked = 0;
        const { port } = await serveHttp((_, response) => {
          asked++;
          const type = text.startsWith('<') ? 'text/html' : 'application/json';
          response.writeHead(status, { 'X-Consul-Index': '7', 'Content-Type': type }).end(text);
        });
        const end = new AbortController();
        const words = wordsOf(name, examples[0] ?? '', folder);
        let isOver = false;
        const running = commandLineOf(port)(words, { signal: end.signal }).finally(() => {
          isOver = true;
        });
        await until(() => isOver || asked > ENOUGH);
        end.abort();
        const { code, err, out } = await running;
        const said = `${words} to ${text}: ${code} ${out}${err}`;
        assert.doesNotMatch(err, /\n +at |TypeError|\[object/, said);
        if (text.startsWith('<') && asked > 0) assert.notEqual(code, 0, said);
      }
    });
  }
});
