/**
 * Asks a Consul anew what it says to each filter in consul-verdicts.json, and writes it there. To
 * add a filter, add `["…", null]` to the file, start an agent with nothing in it, and run
 *   node --import tsx spec/lib/filter/record-verdicts.ts http://127.0.0.1:8500
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Recording, Verdict } from './recording.ts';

const file = new URL('consul-verdicts.json', import.meta.url);
const consul = process.argv[2] ?? 'http://127.0.0.1:8500';

async function main(): Promise<void> {
  const old = JSON.parse(readFileSync(file, 'utf8')) as Recording;
  for (const [request, body] of old.registrations) {
    const [method = '', path = ''] = request.split(' ');
    const answer = await fetch(consul + path, { method, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, `${request}: ${await answer.text()}`);
  }
  const answers = [];
  for (const { path, fields, verdicts } of old.answers) {
    const items = itemsOf(await (await fetch(consul + path)).json());
    const asked: [string, Verdict][] = [];
    for (const [filter] of verdicts) asked.push([filter, await verdict(path, filter, items)]);
    answers.push({ path, fields, items, verdicts: asked });
  }
  writeFileSync(file, `${JSON.stringify({ ...old, answers }, null, 2)}\n`);
}

async function verdict(path: string, filter: string, items: unknown[]): Promise<Verdict> {
  const answer = await fetch(`${consul}${path}?filter=${encodeURIComponent(filter)}`);
  if (answer.status !== 200) return await answer.text();
  const all = items.map((item) => JSON.stringify(item));
  const places = itemsOf(await answer.json()).map((item) => all.indexOf(JSON.stringify(item)));
  assert.ok(!places.includes(-1), `${filter}: the answer changed meanwhile`);
  return places.sort((a, b) => a - b);
}

function itemsOf(answer: unknown): unknown[] {
  if (Array.isArray(answer)) return answer;
  const object = answer as Record<string, unknown>;
  return Array.isArray(object['Services']) ? object['Services'] : Object.values(object);
}

await main();
