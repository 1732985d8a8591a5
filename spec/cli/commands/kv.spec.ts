import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { startServer } from '../../support/servers/start-server.ts';

async function start() {
  const server = await startServer();
  return { ...server, run: commandLineOf(server.port) };
}

describe('proconsul kv', () => {
  it('puts, gets and deletes', async () => {
    const { run } = await start();
    assert.equal((await run('kv put a hello')).out, 'Success! Data written to: a\n');
    assert.equal((await run('kv get a')).out, 'hello\n');
    assert.equal((await run('kv delete a')).out, 'Success! Deleted key: a\n');
    const missing = await run('kv get a');
    assert.deepEqual([missing.code, missing.err], [1, 'Error! No key exists at: a\n']);
  });

  it('keeps flags of 64 bits to the last digit', async () => {
    const { run } = await start();
    await run('kv put -flags=18446744073709551615 a b');
    assert.match((await run('kv get -detailed a')).out, /^Flags {12}18446744073709551615$/m);
    const { code, err } = await run('kv put -flags=18446744073709551616 a b');
    assert.deepEqual(
      [code, err.split('\n')[0]],
      [1, 'invalid value "18446744073709551616" for flag -flags: parse error'],
    );
  });

  it('shows a key in detail as Consul lays it out', async () => {
    const { run } = await start();
    await run('kv put a hello');
    const { out } = await run('kv get -detailed a');
    assert.match(
      out,
      /^CreateIndex {6}\d+\nFlags {12}0\nKey {14}a\nLockIndex {8}0\nModifyIndex {6}\d+\nSession {10}-\nValue {12}hello\n$/,
    );
  });

  it('writes the bytes of a file, of stdin and of base64', async () => {
    const { run, get } = await start();
    const folder = mkdtempSync(join(tmpdir(), 'proconsul-kv-'));
    try {
      writeFileSync(join(folder, 'value'), Buffer.from([0, 255, 10]));
      await run(`kv put file @${folder}/value`);
      const missing = await run(`kv put file @${folder}/missing`);
      assert.match(
        missing.err,
        /^Error! Failed to read file: open .*missing: no such file or directory\n/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
    await run('kv put piped -', { stdin: 'from stdin' });
    await run('kv put -base64 decoded aGk=');
    assert.equal((await get('/v1/kv/piped?raw')).text, 'from stdin');
    assert.equal((await get('/v1/kv/decoded?raw')).text, 'hi');
    assert.equal((await run('kv get -base64 file')).out, 'AP8K\n');
    const bad = await run('kv put -base64 decoded !!');
    assert.deepEqual([bad.code, bad.err], [1, 'Error! Cannot base 64 decode data\n']);
  });

  it('keeps a key as it is written, percent signs and all', async () => {
    const { run } = await start();
    for (const key of ['x%2Fy', 'ü?#&', 'a.b/c/']) {
      await run(`kv put ${key} v`);
      assert.equal((await run(`kv get -recurse ${key}`)).out, `${key}:v\n`);
    }
  });

  it('writes and deletes by CAS', async () => {
    const { run, get } = await start();
    await run('kv put a 1');
    const [{ ModifyIndex = 0 } = {}] = (await get('/v1/kv/a')).json as { ModifyIndex?: number }[];
    const lost = await run('kv put -cas -modify-index=1 a 2');
    assert.deepEqual([lost.code, lost.err], [1, 'Error! Did not write to a: CAS failed\n']);
    assert.equal((await run(`kv put -cas -modify-index=${ModifyIndex} a 2`)).code, 0);
    const late = await run(`kv delete -cas -modify-index=${ModifyIndex} a`);
    assert.deepEqual([late.code, late.err], [1, 'Error! Did not delete key a: CAS failed\n']);
  });

  it('locks and unlocks with a session', async () => {
    const { run, put } = await start();
    await put('/v1/catalog/register', { Node: 'n1', Address: '127.0.0.1' });
    const { ID } = (await put('/v1/session/create', { Node: 'n1', Checks: [] })).json as {
      ID: string;
    };
    const acquire = `kv put -acquire -session=${ID} lock x`;
    assert.equal((await run(acquire)).out, 'Success! Lock acquired on: lock\n');
    assert.match((await run('kv get -detailed lock')).out, new RegExp(`^Session +${ID}$`, 'm'));
    const release = `kv put -release -session=${ID} lock`;
    assert.equal((await run(release)).out, 'Success! Lock released on: lock\n');
    assert.equal((await run(release)).err, 'Error! Did not release lock\n');
  });

  it('exports what import takes, the same again', async () => {
    const { run } = await start();
    await run('kv put -flags=7 d/a hello');
    await run('kv put d/b');
    const exported = (await run('kv export d/')).out;
    await run('kv delete -recurse d/');
    assert.equal((await run('kv export d/')).out, '[]\n');
    const { out } = await run('kv import -', { stdin: exported });
    assert.equal(out, 'Imported: d/a\nImported: d/b\n');
    assert.equal((await run('kv export d/')).out, exported);
  });

  it('imports a key with half of a pair of UTF-16 as Consul reads it', async () => {
    const { run } = await start();
    const stdin = '[{"key": "a\\ud800", "value": "YQ=="}]';
    assert.deepEqual(await run('kv import -', { stdin }), {
      code: 0,
      out: 'Imported: a\ufffd\n',
      err: '',
    });
  });

  it('imports many over one connection', async () => {
    const { port, server } = await serveHttp((_, response) => response.end('true'));
    let opened = 0;
    server.on('connection', () => opened++);
    const stdin = JSON.stringify(['a', 'b', 'c'].map((key) => ({ key, value: 'YQ==' })));
    const { out } = await commandLineOf(port)('kv import -', { stdin });
    assert.equal(out, 'Imported: a\nImported: b\nImported: c\n');
    assert.equal(opened, 1);
  });

  it('imports nothing of what it cannot read', async () => {
    const { run } = await start();
    for (const stdin of [
      'x',
      '{}',
      '[1]',
      '[{"key":"a","value":"aGk="},{"key":"b","value":"!!"}]',
    ]) {
      const { code, err } = await run('kv import -', { stdin });
      assert.equal(code, 1);
      assert.match(err, /^(Cannot unmarshal data|Error base 64 decoding value for key b)/);
    }
    assert.equal((await run('kv export')).out, '[]\n');
  });

  for (const [words, complaint] of [
    ['kv get', 'Error! Missing KEY argument'],
    ['kv get a b', 'Too many arguments (expected 1, got 2)'],
    ['kv put', 'Error! Missing KEY argument'],
    ['kv put a b c', 'Error! Too many arguments (expected 1 or 2, got 3)'],
    ['kv put /a b', "Error! Failed writing data: Invalid key. Key must not begin with a '/': /a"],
    ['kv put -cas a b', 'Must specify -modify-index with -cas!'],
    ['kv put -acquire a', 'Error! Missing -session (required with -acquire and -release)'],
    ['kv delete', 'Error! Missing KEY argument'],
    ['kv delete -cas a', 'Must specify -modify-index with -cas!'],
    ['kv delete -modify-index=1 a', 'Cannot specify -modify-index without -cas!'],
    ['kv import', 'Error! Missing DATA argument'],
    [
      'kv put -acquire -session=11111111-2222-4333-8444-555555555555 a',
      'Error! Failed writing data: Unexpected response code: 500 (invalid session "11111111-2222-4333-8444-555555555555")',
    ],
  ] as const) {
    it(`refuses '${words}' as Consul does`, async () => {
      const { run } = await start();
      const { code, err } = await run(words);
      assert.deepEqual([code, err], [1, `${complaint}\n`]);
    });
  }
});
