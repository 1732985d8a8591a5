import assert from 'node:assert/strict';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';
import { until } from '../../support/until.ts';

const ALLOWED = '-hcl=disable_remote_exec = false';
const ROOT = 'eeeeeeee-0000-4000-8000-000000000001';

describe('proconsul exec', function () {
  // A whole agent each, and a wait until nobody says more.
  this.timeout(40_000);
  let agent: WholeAgent | undefined;
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
  });

  async function start(...flags: string[]) {
    agent = await startWholeAgent(flags, flags.length > 1 ? ROOT : '');
    const { port } = agent;
    const headers = flags.length > 1 ? { 'X-Consul-Token': ROOT } : {};
    const get = async (path: string) => (await send(port, 'GET', path, { headers })).text.trim();
    const put = (path: string, body: object) => send(port, 'PUT', path, { headers, body });
    return { run: commandLineOf(port), get, put };
  }

  it('shows what the command says, and how it ended, and leaves nothing behind', async () => {
    const { run, get } = await start(ALLOWED);
    const [good, bad] = await Promise.all([
      run('exec -node=^n1$ -wait=2s echo one; echo; printf two'),
      run('exec -wait=2s exit 3'),
    ]);
    assert.deepEqual(good, {
      code: 0,
      out: '    n1: one\n    n1:\n    n1: two\n==> n1: finished with exit code 0\n1 / 1 node(s) completed / acknowledged\n',
      err: '',
    });
    assert.equal(bad.code, 2);
    assert.match(bad.out, /finished with exit code 3\n/);
    assert.equal(await get('/v1/kv/_rexec?keys'), '');
    assert.equal(await get('/v1/session/list'), '[]');
    assert.equal(await get('/v1/event/list'), '[]');
  });

  it('runs words as they are without a shell, and a script from the standard input', async () => {
    const { run } = await start(ALLOWED);
    const stdin = 'for n in 1 2; do echo line $n; done; exit 4';
    const [plain, script, none] = await Promise.all([
      run('exec -shell=false -wait=2s /bin/echo $HOME;'),
      run('exec -wait=2s -', { stdin }),
      run('exec -shell=false -wait=2s /nowhere/at-all'),
    ]);
    assert.match(plain.out, /^ {4}n1: \$HOME;\n/);
    assert.match(script.out, /^ {4}n1: line 1\n {4}n1: line 2\n {4}n1:\n==> n1: .* code 4\n/);
    assert.equal(none.code, 2);
    assert.match(none.out, /n1: exec: spawn .* ENOENT\n[\s\S]* code 255\n/);
  });

  it('finds nobody where agents do not allow it, as they do by default', async () => {
    const { run } = await start();
    const { code, out } = await run('exec -wait=50ms echo hello');
    assert.deepEqual([code, out], [0, '0 / 0 node(s) completed / acknowledged\n']);
  });

  it('ends the program where whoever asked has gone', async () => {
    const { run, get } = await start(ALLOWED);
    const asked = new AbortController();
    const gone = run('exec -wait=600s echo $$; exec sleep 600', { signal: asked.signal });
    await until(async () => (await get('/v1/kv/_rexec?keys')).includes('/out/'));
    const [key] = JSON.parse(await get('/v1/kv/_rexec?keys')).filter((k: string) => /out/.test(k));
    const pid = Number(await get(`/v1/kv/${key}?raw`));
    process.kill(pid, 0);
    asked.abort();
    const { code } = await gone;
    assert.equal(code, 1);
    // Long before it would have heard that nobody takes what the program says.
    await until(() => !isAlive(pid));
  });

  it('asks for rights on both sides, and says which', async () => {
    const { run, put } = await start(
      ALLOWED,
      `-hcl=acl { enabled = true, default_policy = "deny", tokens { initial_management = "${ROOT}", agent = "${ROOT}" } }`,
    );
    const none = await run('exec -wait=100ms echo hello');
    assert.equal(none.code, 1);
    assert.match(none.err, /^Failed to begin remote execution: .*403/);
    const rules = (event: string) =>
      `session_prefix "" { policy = "write" } key_prefix "_rexec" { policy = "write" } ${event}`;
    const tokenOf = async (Name: string, Rules: string) => {
      await put('/v1/acl/policy', { Name, Rules });
      const made = await put('/v1/acl/token', { Policies: [{ Name }] });
      return (made.json as { SecretID: string }).SecretID;
    };
    const half = await tokenOf('half', rules(''));
    const without = await run(`exec -token=${half} -wait=100ms echo hello`);
    assert.match(without.err, /^Failed to fire event: .*403/);
    const whole = await tokenOf('whole', rules('event "_rexec" { policy = "write" }'));
    const { code, out } = await run(`exec -token=${whole} -wait=2s echo hello`);
    assert.equal(code, 0);
    assert.match(out, /n1: hello\n/);
  });

  it('refuses what it cannot ask for, before it has begun', async () => {
    const { run } = await start();
    assert.match((await run('exec')).err, /^Must specify a command to execute\n\nUsage: /);
    assert.match((await run('exec -node=( echo')).err, /^Failed to compile node filter regexp: /);
    assert.match((await run('exec -tag=a echo')).err, /^Cannot provide tag filter without service/);
    assert.match((await run('exec -wait=soon echo')).err, /^invalid value "soon" for flag -wait/);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
