import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { build, type Metafile } from 'esbuild';
import { isLarge } from '../../cli/large-commands.ts';
import {
  type Built,
  bundle,
  bundleWhole,
  firstWord,
  licences,
  oneByte,
} from '../../pack/bundle.ts';

/** What is loaded with a module at once, without what is loaded later when it is needed. */
function reached({ inputs }: Metafile, from: string, seen = new Set<string>()): Set<string> {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const { kind, path } of inputs[from]?.imports ?? []) {
    if (kind !== 'dynamic-import') reached({ inputs } as Metafile, path, seen);
  }
  return seen;
}

describe('what is packed', () => {
  let built: Built;
  before(async function () {
    this.timeout(60_000);
    built = await bundle('dist', false);
  });

  it('has in its first file no package, and not much else', () => {
    const inputs = Object.keys(built.first.inputs);
    assert.deepEqual(
      inputs.filter((path) => path.includes('node_modules')),
      [],
    );
    const bytes = built.first.outputs['dist/proconsul.cjs']?.bytes ?? 0;
    assert.ok(bytes > 100_000 && bytes < 500_000, `${bytes}`);
  });

  it('is refused where a letter would have all of its text kept in two bytes a letter', async () => {
    const of = (contents: string) =>
      build({ stdin: { contents }, plugins: [oneByte], write: false, logLevel: 'silent' });
    await of("export const unit = '\u00b5s';");
    await assert.rejects(of('export const unit = /\u00b5s/;'), /is no ASCII/);
  });

  it('has every command that needs a package outside of that file', () => {
    const modules = readdirSync('cli/commands').map((name) => `cli/commands/${name}`);
    const large = modules.filter((path) => {
      const all = [...reached(built.large, path)];
      return all.some((each) => each.includes('node_modules'));
    });
    assert.ok(large.length > 5);
    assert.deepEqual(
      large.filter((path) => !isLarge(firstWord(path))),
      [],
    );
  });

  it("loads nothing of what tells Envoys before the first of them comes, and nothing of Node's HTTP/2 then", () => {
    const first = Object.keys(built.first.inputs);
    const begun = [...reached(built.large, 'cli/commands/agent.ts')];
    for (const name of ['xds/serving/serve.ts', 'xds/serving/protos.json', 'xds/rules.json']) {
      assert.ok(built.large.inputs[name] !== undefined, name);
      assert.ok(!first.includes(name) && !begun.includes(name), name);
    }
    const serving = [...reached(built.large, 'xds/serving/serve.ts')];
    assert.deepEqual(
      serving.filter((path) => path.includes('node_modules/@grpc/grpc-js')),
      [],
    );
  });

  it('requires nothing that is not in it or in Node', () => {
    const outside = [built.first, built.large].flatMap(({ outputs }) =>
      Object.values(outputs).flatMap(({ imports }) =>
        imports.filter(({ external }) => external === true).map(({ path }) => path),
      ),
    );
    const { builtinModules } = process.getBuiltinModule('node:module');
    const known = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    assert.deepEqual(
      [...new Set(outside)].filter((path) => !known.has(path)),
      ['./run-large.js'],
    );
  });

  it('has for programs that import it no package, and leaves them their undici', () => {
    const { inputs, outputs } = built.client;
    assert.deepEqual(
      Object.keys(inputs).filter((path) => path.includes('node_modules')),
      [],
    );
    const bytes = Object.values(outputs).reduce((sum, each) => sum + each.bytes, 0);
    assert.ok(bytes < 100_000, `${bytes}`);
    const outside = (file: string) =>
      outputs[file]?.imports
        .filter(({ external, path }) => external === true && !path.startsWith('node:'))
        .map(({ path }) => path);
    assert.deepEqual(outside('dist/balance.js'), []);
    assert.deepEqual([...new Set(outside('dist/balance-undici.js'))], ['undici']);
  });

  it('is one file that imports nothing, for a program with Node in it', async function () {
    this.timeout(60_000);
    const { outputs } = await bundleWhole('dist/whole.cjs', new Map(), false);
    const [{ imports = [] } = {}, ...more] = Object.values(outputs);
    assert.deepEqual(more, []);
    const { builtinModules } = process.getBuiltinModule('node:module');
    const known = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    const strange = imports.filter(({ kind, path }) => kind !== 'require-call' || !known.has(path));
    assert.deepEqual(strange, []);
  });

  it('says the licence of each package whose code it has', () => {
    const text = licences(built, ['node_modules/preact/dist/preact.mjs', 'web/main.tsx']);
    for (const part of text.split(/^== /m).slice(1)) {
      assert.match(part, /^\S+ \S+ \([\w. -]+\)\n\n\S/, part.slice(0, 80));
    }
    assert.match(text, /^== express /m);
    assert.match(text, /^== preact /m);
  });
});
