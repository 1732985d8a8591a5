import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeIdOf } from '../../../agent/state/node-id.ts';
import { nodeFiles } from '../../../agent/state/value-files.ts';
import { applySocketRights, explainStart, holdDataDir } from '../../../cli/process/start-up.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { describeChain } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { nodeFileSystem } from '../../../server/log/file/file-system.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

const folders: string[] = [];

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'start-up-'));
  folders.push(path);
  return path;
}

afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true });
});

const load = (...argv: string[]) =>
  loadConfig({ argv: ['-dev', ...argv], host: fakeConfigHost() }).config;

describe('holdDataDir', () => {
  it('keeps a second process out of data_dir, whatever its role, until the first has ended', async () => {
    const path = join(await folder(), 'new');
    const unlock = await holdDataDir(path, silentLogger);
    const message = new RegExp(
      `^data_dir: ${path} is used by another process \\(pid ${process.pid} `,
    );
    await assert.rejects(holdDataDir(path, silentLogger), { code: 'invalid', message });
    await unlock();
    await (await holdDataDir(path, silentLogger))();
  });

  it('says which folder cannot be made', async () => {
    const file = join(await folder(), 'file');
    await writeFile(file, '');
    const message = `data_dir ${file}/in cannot be made`;
    await assert.rejects(holdDataDir(`${file}/in`, silentLogger), { code: 'invalid', message });
  });

  it('ends where a file system never lets it be made', async () => {
    const path = '/proc/proconsul/deep';
    await assert.rejects(holdDataDir(path, silentLogger), { code: 'invalid' });
  });

  it('has nothing to keep where nothing is kept', async () => {
    await (await holdDataDir('', silentLogger))();
  });
});

describe('applySocketRights', () => {
  it('gives sockets the permissions of unix_sockets', async () => {
    const path = join(await folder(), 'http.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const socket = `unix_sockets { mode = "0600" user = "${process.getuid?.() ?? ''}" }`;
    const config = load('-hcl', `addresses { http = "unix://${path}" } ${socket}`);
    await applySocketRights(config.listen);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    server.close();
  });

  for (const key of ['mode = "rw"', 'user = "root"', 'user = "4294967295"', 'group = "-1"']) {
    it(`are refused as ${key}`, () => {
      assert.throws(() => load('-hcl', `unix_sockets { ${key} }`), /unix_sockets\.\w+ must be/);
    });
  }
});

describe('explainStart', () => {
  const config = load('-http-port=1234');
  const fault = (more: object) => Object.assign(new Error('x'), { syscall: 'listen', ...more });

  it('names the key that says where to listen', () => {
    const taken = fault({ code: 'EADDRINUSE', address: '127.0.0.1', port: 1234 });
    const explained = explainStart(taken, config);
    assert(explained instanceof Error);
    assert.equal(explained.message, 'ports.http: cannot listen at 127.0.0.1:1234: it is in use');
  });

  it('puts an IPv6 address into brackets', () => {
    const taken = fault({ code: 'EADDRNOTAVAIL', address: '::2', port: 1234 });
    assert.match(String(explainStart(taken, config)), / \[::2\]:1234: this machine has no such/);
  });

  it('says why there can be no socket, which Node does not', async () => {
    const path = join(await folder(), 'x');
    const missing = fault({ code: 'EACCES', address: `${path}/s`, port: -1 });
    assert.match(String(explainStart(missing, config)), new RegExp(`there is no folder ${path}$`));
    await writeFile(path, '');
    const taken = fault({ code: 'EADDRINUSE', address: path, port: -1 });
    assert.match(String(explainStart(taken, config)), / a file that is no socket is in its place$/);
  });

  it('names data_dir where a file of it cannot be used, unless a key is named already', async () => {
    const dataDir = await folder();
    for (const name of ['log', 'agent']) await writeFile(join(dataDir, name), '');
    await mkdir(join(dataDir, 'node-id'));
    const explained = async (begin: () => Promise<unknown>) =>
      describeChain(
        explainStart(await begin().catch((error: unknown) => error), { ...config, dataDir }),
      );
    const is = 'is to be a folder, and is something else';
    for (const [begin, fault] of [
      [() => nodeFileSystem.makeFolder(join(dataDir, 'log')), `${dataDir}/log ${is}: EEXIST: .+`],
      [() => nodeFiles.makeFolder(join(dataDir, 'agent')), `${dataDir}/agent ${is}: EEXIST: .+`],
      [() => nodeFiles.makeFolder(join(dataDir, 'log/x')), `${dataDir}/log ${is}: ENOTDIR: .+`],
      [
        () => nodeFiles.read(join(dataDir, 'node-id')),
        `${dataDir}/node-id cannot be read: EISDIR: .+`,
      ],
      [
        () => nodeIdOf({ nodeId: '', dataDir }, seededRandom(1)),
        `${dataDir}/node-id cannot be read: EISDIR: .+`,
      ],
    ] as const) {
      assert.match(await explained(begin), new RegExp(`^data_dir cannot be used: ${fault}$`));
    }
    const named = new Error(`pid_file ${dataDir}/pid cannot be written`);
    assert.equal(await explained(() => Promise.reject(named)), named.message);
  });

  it('leaves other errors as they are', () => {
    const other = fault({ code: 'EIO' });
    assert.equal(explainStart(other, config), other);
  });
});

describe('nodeIdOf', () => {
  for (const [nodeId, fault] of [
    ['xyz', 'uuid string is wrong length'],
    ['40e4a748x2192-161a-0510-9bf59fe950b5', 'uuid is improperly formatted'],
  ] as const) {
    it(`refuses ${nodeId}`, async () => {
      const message = `node_id is invalid: ${fault}`;
      await assert.rejects(nodeIdOf({ nodeId, dataDir: '' }, seededRandom(1)), { message });
    });
  }
});
