import assert from 'node:assert/strict';
import { shownOn } from '../../../cli/terminal.ts';
import { webOn } from '../../support/factories.ts';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

async function start() {
  const server = await startServer();
  const set = (Status: string, Output: string) =>
    server.put(
      '/v1/catalog/register',
      webOn('a', { Check: { CheckID: 'c', Name: 'c', Status, Output, ServiceID: 'web1' } }),
    );
  await set('passing', `ok\n\u001b[31mred ${'x'.repeat(300)}`);
  await server.clock.advance(3000);
  await set('critical', 'refused');
  await server.clock.advance(1000);
  return { ...server, run: commandLineOf(server.port) };
}

describe('proconsul history', () => {
  it('shows what changed and what that made of it, in 80 columns and no more', async () => {
    const { run } = await start();
    const { out, code } = await run('history web');
    const lines = out.split('\n');
    assert.equal(code, 0);
    assert(lines.every((line) => line.length <= 80));
    assert.match(
      lines[3] ?? '',
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ a +c +passing > critical +refused$/,
    );
    assert.match(out, /^1h +75\.000% +1 +- +0s$/m);
    assert(!out.includes('\u001b'));
  });

  it('shows names whole, on a terminal below one another where they are long', async () => {
    const { run, put } = await start();
    const names = ['one', 'two'].map((end) => `a-machine-whose-name-is-long-${end}`);
    for (const name of names) await put('/v1/catalog/register', webOn(name));
    const piped = (await run('history web')).out;
    for (const columns of [40, 80, 120]) {
      const { out } = await run('history web', { terminal: { columns, hasColours: false } });
      const seen = shownOn({ hasColours: false }, out);
      for (const name of names) {
        assert.ok(seen.includes(` ${name}`), seen);
        assert.ok(piped.includes(` ${name}`), piped);
      }
      const [changes = ''] = seen.split('\n\nWindow');
      assert.deepEqual(
        changes.split('\n').filter((line) => line.length > columns && columns > 40),
        [],
      );
    }
  });

  it('writes JSON, narrows, and asks for a node', async () => {
    const { run } = await start();
    const json = JSON.parse((await run('history -format=json -limit=1 web')).out) as object[];
    assert.equal(json.length, 1);
    assert.match((await run('history -node a')).out, /node +absent > registered/);
    assert.equal(
      (await run('history -since=2100-01-01T00:00:00Z web')).err,
      'Nothing is remembered of web.\n',
    );
  });

  it('refuses what it cannot mean', async () => {
    const { run } = await start();
    assert.match((await run('history')).err, /Must specify one name/);
    assert.equal((await run('history -format=x web')).err, 'Unknown format: x\n');
    assert.match((await run('history -since=yesterday web')).err, /Invalid since: "yesterday"/);
  });
});
