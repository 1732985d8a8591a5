import assert from 'node:assert/strict';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

async function start() {
  const server = await startServer();
  const run = commandLineOf(server.port);
  await run('kv revisions -prefix=config/');
  /** Their indexes, the newest first. */
  const revisions = async (key: string) => {
    const { out } = await run(`kv history -format=json ${key}`);
    return (JSON.parse(out) as { Revision: number }[]).map(({ Revision }) => Revision);
  };
  return { ...server, run, revisions };
}

describe('proconsul kv revisions', () => {
  it('shows the settings, and changes those that it is given alone', async () => {
    const { run } = await start();
    const shown = await run('kv revisions -count=5 -max-age=24h');
    assert.equal(
      shown.out,
      'Prefixes = "config/"\nCount = 5\nMaxAge = 24h0m0s\nMaxBytes = 16777216\n',
    );
    assert.match((await run('kv revisions -off')).out, /^Prefixes = none\nCount = 5\n/);
  });

  it('says what is wrong with a setting', async () => {
    const { run } = await start();
    const { code, err } = await run('kv revisions -count=0');
    assert.equal(code, 1);
    assert.match(err, /^Error changing the settings of revisions: .*Count/);
  });
});

describe('proconsul kv history', () => {
  it('lists the revisions, the newest first, and what was deleted', async () => {
    const { run, revisions } = await start();
    await run('kv put config/a one');
    await run('kv delete config/a');
    const [gone, first] = await revisions('config/a');
    const lines = (await run('kv history config/a')).out.split('\n');
    assert.match(lines[0] ?? '', /^Revision +Time +AccessorID +Size$/);
    assert.match(lines[1] ?? '', new RegExp(`^${gone} +\\S+Z +- +deleted$`));
    assert.match(lines[2] ?? '', new RegExp(`^${first} +\\S+Z +- +3$`));
    assert.equal((await run('kv history -limit=1 config/a')).out.trim().split('\n').length, 2);
  });

  it('says where none are kept', async () => {
    const { run } = await start();
    await run('kv put other x');
    const { code, err } = await run('kv history other');
    assert.equal(code, 1);
    assert.match(err, /^Error! No revisions are kept of: other/);
  });
});

describe('proconsul kv diff', () => {
  it('shows the last change, or what lies between two revisions', async () => {
    const { run, revisions, put } = await start();
    await put('/v1/kv/config/a', 'a\nb\nc\n');
    await put('/v1/kv/config/a', 'a\nx\nc\n');
    await put('/v1/kv/config/a?flags=3', 'a\nx\nc\nd\n');
    const [third, second, first] = await revisions('config/a');
    const bare = (out: string) => out.replace(/ \d{4}-\S+Z/g, '');
    assert.equal(
      bare((await run('kv diff config/a')).out),
      `--- revision ${second}\n+++ revision ${third}\nflags 0 became 3\n@@ -1 +1 @@\n a\n x\n c\n+d\n`,
    );
    assert.equal(
      bare((await run(`kv diff config/a ${first} ${second}`)).out),
      `--- revision ${first}\n+++ revision ${second}\n@@ -1 +1 @@\n a\n-b\n+x\n c\n`,
    );
    const json = JSON.parse((await run(`kv diff -format=json config/a ${first}`)).out);
    assert.deepEqual(
      json.Lines.map(({ Op, Text }: { Op: string; Text: string }) => Op + Text),
      [' a', '-b', '+x', ' c', '+d'],
    );
  });

  it('compares bytes that are no text by name alone', async () => {
    const { run, put } = await start();
    await put('/v1/kv/config/a', Buffer.from([0, 255]));
    await put('/v1/kv/config/a', 'text');
    assert.match((await run('kv diff config/a')).out, /no text differ/);
  });

  it('says which revision is not there', async () => {
    const { run } = await start();
    await run('kv put config/a x');
    assert.match((await run('kv diff config/a 1')).err, /^Error! No revision 1 is kept of/);
    assert.match((await run('kv diff config/a soon')).err, /^Error! Invalid revision: "soon"/);
  });
});

describe('proconsul kv rollback', () => {
  it('writes what stood there, unless somebody was faster', async () => {
    const { run, revisions } = await start();
    await run('kv put config/a one');
    await run('kv put config/a two');
    const [second, first] = await revisions('config/a');
    const lost = await run(`kv rollback -cas -modify-index=${first} config/a ${first}`);
    assert.deepEqual([lost.code, lost.err], [1, 'Error! Did not write to config/a: CAS failed\n']);
    const done = await run(`kv rollback -cas -modify-index=${second} config/a ${first}`);
    assert.equal(done.out, `Success! config/a is as it was at revision ${first}\n`);
    assert.equal((await run('kv get config/a')).out, 'one\n');
    assert.match((await run('kv rollback config/a 1')).err, /no revision 1 of the key/);
  });
});

describe('proconsul kv import -atomic', () => {
  it('writes all that was exported with its indexes, or nothing', async () => {
    const { run, get } = await start();
    await run('kv put a 1');
    await run('kv put b 2');
    const { out } = await run('kv export -with-index');
    const changed = out.replace('"MQ=="', '"eA=="').replace('"Mg=="', '"eQ=="');
    assert.equal((await run('kv import -atomic -', { stdin: changed })).code, 0);
    assert.equal((await get('/v1/kv/a?raw')).text, 'x');
    const late = await run('kv import -atomic -', { stdin: out });
    assert.equal(late.code, 1);
    assert.match(late.err, /^Error! Nothing was written: failed to set key "a", index is stale; /);
    assert.equal((await get('/v1/kv/b?raw')).text, 'y');
  });
});
