import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

describe('proconsul config', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const web = 'Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n';

  it('writes an entry from HCL or JSON, shows it, lists and deletes it', async () => {
    const run = commandLineOf((await startServer()).port);
    const written = await run(`config write ${file('web.hcl', web)}`);
    assert.equal(written.out, 'Config entry written: service-defaults/web\n');
    const json = '{"kind":"service-resolver","name":"web","connect_timeout":"3s"}';
    assert.equal((await run(`config write ${file('web.json', json)}`)).code, 0);
    const read = await run('config read -kind=service-resolver -name=web');
    assert.match(read.out, /^\{\n {4}"ConnectTimeout": "3s",\n {4}"Kind": "service-resolver",/);
    assert.equal((await run('config list -kind=service-resolver')).out, 'web\n');
    const deleted = await run('config delete -kind=service-resolver -name=web');
    assert.equal(deleted.out, 'Config entry deleted: service-resolver/web\n');
    assert.equal((await run('config list -kind=service-resolver')).out, '');
  });

  it('writes with -cas only at the index that is named', async () => {
    const run = commandLineOf((await startServer()).port);
    const path = file('web.hcl', web);
    assert.equal((await run(`config write -cas ${path}`)).code, 0);
    const again = await run(`config write -cas ${path}`);
    assert.equal(again.err, 'Config entry not updated: service-defaults/web\n');
    assert.equal(again.code, 1);
  });

  it('deletes with -cas only what stands at the index that is named', async () => {
    const run = commandLineOf((await startServer()).port);
    await run(`config write ${file('web.hcl', web)}`);
    const { out } = await run('config read -kind=service-defaults -name=web');
    const { ModifyIndex: index } = JSON.parse(out) as { ModifyIndex: number };
    const remove = (upon: number) =>
      run(`config delete -kind=service-defaults -name=web -cas -modify-index=${upon}`);
    const refused = await remove(index + 1);
    assert.equal(refused.err, 'Config entry not deleted: service-defaults/web\n');
    assert.equal(refused.code, 1);
    assert.equal((await remove(index)).out, 'Config entry deleted: service-defaults/web\n');
  });

  it('changes nothing where an index is named without -cas, or to delete -cas without one', async () => {
    const run = commandLineOf((await startServer()).port);
    const path = file('web.hcl', web);
    await run(`config write ${path}`);
    const remove = 'config delete -kind=service-defaults -name=web';
    const without = 'Cannot specify -modify-index without -cas!\n';
    for (const [words, err] of [
      [`${remove} -modify-index=99999`, without],
      [`${remove} -cas`, 'Must specify -modify-index with -cas!\n'],
      [`config write -modify-index=99999 ${path}`, without],
    ] as const) {
      const refused = await run(words);
      assert.deepEqual([refused.err, refused.code], [err, 1]);
    }
    assert.equal((await run('config list -kind=service-defaults')).out, 'web\n');
  });

  it('says what is wrong in the words of Consul', async () => {
    const run = commandLineOf((await startServer()).port);
    for (const [words, why] of [
      ['read -name=x', 'Must specify the -kind parameter'],
      ['delete -kind=service-router', 'Must specify the -name parameter'],
      [
        `write ${file('odd.hcl', 'Kind = "nope"\nName = "x"')}`,
        'Failed to decode config entry input: invalid config entry kind: nope',
      ],
      [
        `write ${file('bad.hcl', 'Kind = "service-defaults"\n')}`,
        'Error writing config entry service-defaults/: Unexpected response code: 500 (serviceName is required)',
      ],
    ]) {
      const { err, code } = await run(`config ${words}`);
      assert.deepEqual({ err, code }, { err: `${why}\n`, code: 1 });
    }
  });
});
