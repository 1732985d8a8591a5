import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { HTTP_FLAGS } from '../../cli/api-options.ts';
import { COMMANDS, type CommandEntry, type CommandNode } from '../../cli/command-tree.ts';
import { readFlags } from '../../cli/flag-values.ts';
import { runWords } from '../support/servers/command-line.ts';

/** The words of every command, groups included. */
function paths(node: CommandNode, before: readonly string[] = []): string[][] {
  const own = before.length === 0 ? [] : [[...before]];
  if (!('commands' in node)) return own;
  return [...own, ...[...node.commands].flatMap(([name, next]) => paths(next, [...before, name]))];
}

function entries(node: CommandNode, words: readonly string[] = []): [string[], CommandEntry][] {
  if (!('commands' in node)) return [[[...words], node]];
  return [...node.commands].flatMap(([name, next]) => entries(next, [...words, name]));
}

describe('the command line', () => {
  for (const path of paths(COMMANDS)) {
    it(`shows the usage of ${path.join(' ')} to -h, and exits with 0`, async () => {
      const { code, out, err } = await runWords([...path, '-h']);
      assert.equal(code, 0);
      assert.ok(out.startsWith(`Usage: proconsul ${path.join(' ')}`), out);
      assert.equal(err, '');
    });
  }

  for (const [words, entry] of entries(COMMANDS)) {
    it(`shows examples of ${words.join(' ')} whose flags it takes`, async () => {
      const { examples = [], http, flags, refused } = await entry.load();
      assert.equal(examples.length === 0, refused === true);
      const table = new Map([...HTTP_FLAGS[http], ...flags]);
      for (const example of examples) readFlags(example.split(' '), table);
      const { out } = await runWords([...words, '-h']);
      const said = out.replace(/ \\\n +/g, ' ');
      for (const example of examples) assert.ok(said.includes(example), example);
    });
  }

  it('shows all commands to -h and --help on stdout', async () => {
    for (const flag of ['-h', '--help', '-help']) {
      const { code, out } = await runWords([flag]);
      assert.equal(code, 0);
      assert.match(out, /^ {4}kv +Reads and writes keys$/m);
      assert.match(out, /^ {4}agent +/m);
    }
  });

  it('shows them on stderr and exits with 127 where no command or an unknown one is named', async () => {
    for (const words of [[], ['nope'], ['nope', '-h'], ['-x'], ['__proto__']]) {
      const { code, out, err } = await runWords(words);
      assert.deepEqual([code, out], [127, '']);
      assert.match(err, /^Usage: proconsul/);
    }
  });

  it('shows the usage of a group on stderr where its command is missing or unknown', async () => {
    for (const words of [['kv'], ['kv', 'nope'], ['operator', 'raft']]) {
      const { code, err } = await runWords(words);
      assert.equal(code, 1);
      assert.match(err, /^Usage: proconsul (kv|operator raft) <subcommand>/);
    }
  });

  it('refuses an unknown flag, and flags before the command', async () => {
    const unknown = await runWords(['kv', 'get', '-nope']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /^flag provided but not defined: -nope\nUsage:\n {2}-base64\n/);
    const early = await runWords(['-stale', 'kv', 'get', 'a']);
    assert.equal(early.code, 1);
    assert.match(early.err, /^Invalid flags before the subcommand\./);
  });

  it('says what there is in place of commands that only other Consuls have', async () => {
    for (const [words, says] of [
      [['peering', 'list'], /^proconsul peering is not here: .*import-consul/],
      [['operator', 'area', 'list'], /^proconsul operator area is not here: .*\n\nUsage: /],
    ] as const) {
      const { code, err } = await runWords(words);
      assert.notEqual(code, 0);
      assert.match(err, says);
    }
    assert.match((await runWords(['constructor'])).err, /^Usage: /);
  });

  it('makes a key of 32 bytes', async () => {
    const { out } = await runWords(['keygen']);
    assert.equal(Buffer.from(out, 'base64').length, 32);
  });

  it('shows its version, also as JSON', async () => {
    assert.match(
      (await runWords(['version'])).out,
      /^Consul v1\.8\.7\nProconsul v\d+\.\d+\.\d+, which/,
    );
    const json = await runWords(['version', '-format=json']);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(JSON.parse(json.out), { Version: '1.8.7', Proconsul: version });
    assert.equal((await runWords(['version', '-format=x'])).err, 'Unknown format: x\n');
  });
});
