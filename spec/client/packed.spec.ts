import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bundleClient } from '../../pack/bundle.ts';
import { writeTypes } from '../../pack/types.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { startServer } from '../support/servers/start-server.ts';

const PROGRAM = `
import { Balancer, type BalancerOptions, ProconsulError, type Try } from 'proconsul/balance';
import { balancedDispatcher } from 'proconsul/balance/undici';
import { fetch, request } from 'undici';

const options: BalancerOptions = {
  service: 'web',
  policy: 'peak-ewma',
  agent: { address: process.argv[2] ?? '' },
};
const balancer = new Balancer(options);
await balancer.ready(AbortSignal.timeout(60_000));
const dispatcher = balancedDispatcher(balancer, { statuses: [503] });
const { body } = await request('http://web/a', { dispatcher });
const fetched = await fetch('http://web/b', { dispatcher });
const own = await globalThis.fetch('http://web/c', { dispatcher } as never);
const called: string = await balancer.call(async ({ instance: { address, port }, signal }) => {
  const answer = await globalThis.fetch(\`http://\${address}:\${port}/d\`, { signal });
  return await answer.text();
});
const picked: Try | undefined = balancer.pick({ key: 'k' });
picked?.end({ ok: true, ms: 1 });
console.log(await body.text(), await fetched.text(), await own.text(), called);
await dispatcher.close();
await balancer.close();
try {
  balancer.pick();
} catch (error) {
  console.log(error instanceof ProconsulError && error.code);
}
`;

const CHANNEL = `
import * as grpc from '@grpc/grpc-js';
import { register, type GrpcOptions } from 'proconsul/grpc';

const options: GrpcOptions = { agent: { address: process.argv[2] ?? '' } };
register(grpc, options);
const client = new grpc.Client('consul:///nobody', grpc.credentials.createInsecure());
const same = (bytes: Buffer) => bytes;
const deadline = Date.now() + 60_000;
client.makeUnaryRequest('/a.B/C', same, same, Buffer.alloc(0), { deadline }, (error) => {
  console.log(error?.code, error?.details);
  client.close();
});
`;

const PLAIN = `import { Balancer } from 'proconsul/balance';
new Balancer({ service: 'web', agent: { address: 'x' } });
`;

describe('what a program imports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'packed-'));
  const program = join(folder, 'program');

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Rejects with what was printed. */
  const run = async (file: string, args: readonly string[], cwd: string) => {
    const { stdout } = await promisify(execFile)(file, args, { cwd }).catch(
      (error: Error & { readonly stdout?: string; readonly stderr?: string }) => {
        throw new Error(`${error.message} ${error.stdout} ${error.stderr}`);
      },
    );
    return stdout;
  };

  before(async function () {
    this.timeout(180_000);
    const made = join(folder, 'made');
    await bundleClient(join(made, 'dist'), true);
    writeTypes(join(made, 'dist/types'));
    cpSync('package.json', join(made, 'package.json'));
    const npm = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['pack', '--pack-destination', folder, ...npm], made);
    mkdirSync(program);
    writeFileSync(join(program, 'package.json'), '{"private": true, "type": "module"}');
    await run('npm', ['install', join(folder, 'proconsul-0.1.0.tgz'), ...npm], program);
  });

  it('needs nothing but itself, as long as it does not speak by undici', async function () {
    this.timeout(60_000);
    writeFileSync(join(program, 'plain.mjs'), PLAIN);
    await assert.rejects(
      run(process.execPath, ['plain.mjs'], program),
      /ProconsulError: invalid address of an agent: x/,
    );
  });

  const build = async (source: string, needed: readonly string[]) => {
    for (const name of needed) {
      const link = join(program, 'node_modules', name);
      if (!existsSync(link)) symlinkSync(resolve('node_modules', name), link);
    }
    const compilerOptions = {
      ...{ strict: true, module: 'nodenext', target: 'es2022', types: ['node'], outDir: 'out' },
      exactOptionalPropertyTypes: true,
    };
    const files = ['main.ts'];
    writeFileSync(join(program, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    writeFileSync(join(program, 'main.ts'), source);
    await run(resolve('node_modules/.bin/tsc'), ['-p', program], program);
  };

  it('is typed, and balances over the instances of a registry', async function () {
    this.timeout(180_000);
    const registry = await startServer();
    const { port } = await serveHttp(({ url }, response) => response.end(`web${url}`));
    await registry.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: port },
    });
    await build(PROGRAM, ['undici', 'undici-types', '@types']);
    const address = `http://127.0.0.1:${registry.port}`;
    const out = await run(process.execPath, ['out/main.js', address], program);
    assert.equal(out, 'web/a web/b web/c web/d\nunavailable\n');
    const page = readFileSync('docs/balance.md', 'utf8');
    const [, shown = ''] = /```js\n([^`]+)```/.exec(page) ?? [];
    const here = shown.replace(
      "service: 'web',",
      `service: 'web', agent: { address: '${address}' },`,
    );
    const ends = 'await web.close();\nawait dispatcher.close();\n';
    writeFileSync(
      join(program, 'page.mjs'),
      `${here}console.log(statusCode, await body.text());\n${ends}`,
    );
    assert.equal(await run(process.execPath, ['page.mjs'], program), '200 web/users/7\n');
  });

  it('is typed for grpc-js, whose channels ask a registry', async function () {
    this.timeout(180_000);
    const registry = await startServer();
    await build(CHANNEL, ['@grpc', '@types', 'undici-types']);
    const address = `http://127.0.0.1:${registry.port}`;
    const out = await run(process.execPath, ['out/main.js', address], program);
    assert.match(out, /^14 .*no instance of nobody may be called/);
  });
});
