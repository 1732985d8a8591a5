import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../support/servers/free-ports.ts';
import { startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';

const PAGE = readFileSync(new URL('../../docs/cluster.md', import.meta.url), 'utf8');
/** Four processes start, and what they run may have to be built first. */
const START_MS = 100_000;

function blocks(language: string): string[] {
  const found = PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'));
  return [...found].map(([, text = '']) => text);
}

/** The page's ports are others here, which are free. */
async function portsOf(redis: number): Promise<ReadonlyMap<string, number>> {
  const named = [...new Set(PAGE.match(/\b8[356]\d\d\b/g))];
  const free = await freePorts(named.length);
  return new Map([...named.map((port, at) => [port, free[at] ?? 0] as const), ['6379', redis]]);
}

describe('docs/cluster.md', function () {
  this.timeout(2 * START_MS);
  let folder = '';
  let group: number | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cluster-'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync(resolve('bin/proconsul'), join(folder, 'bin/proconsul'));
  });
  afterEach(() => {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('starts three servers and an agent that find one another, by the commands as they stand', async () => {
    const { address } = await startRedis();
    const ports = await portsOf(address.port);
    const here = (text: string) =>
      `PATH="$PWD/bin:$PATH"\n${text.replace(/\b\d{4}\b/g, (each) => `${ports.get(each) ?? each}`)}`;
    const [start = '', look = ''] = blocks('sh');
    group = spawn('bash', ['-c', here(`${start}wait`)], {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
    }).pid;
    const logs = () =>
      ['s1', 's2', 's3', 'a1'].map((name) => readFileSync(join(folder, `${name}.log`), 'utf8'));
    const met = async () => {
      const url = `http://127.0.0.1:${ports.get('8530')}`;
      const [peers, nodes] = await Promise.all(
        ['status/peers', 'catalog/nodes'].map(async (path) => {
          const answer = await fetch(`${url}/v1/${path}`).catch(() => undefined);
          return answer?.ok === true ? ((await answer.json()) as unknown[]) : [];
        }),
      );
      return peers?.length === 3 && nodes?.length === 4;
    };
    await until(met, () => logs().join('\n'), START_MS);
    const { stdout } = await promisify(execFile)('bash', ['-c', here(look)], { cwd: folder });
    assert.equal(stdout, blocks('text')[0]);
  });
});
