/** wrk as the client of every row that counts requests: one thread, 32 connections, kept alive. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  readonly path: string;
  /** The body of a Lua function that returns the n-th request; a plain GET without it. */
  readonly lua?: string;
  readonly connections?: number;
  /** For answers that take so long that a shorter run would count none. */
  readonly minMs?: number;
}

/** Answers a second. Throws where some of them were errors. */
export async function requestsPerSecond(port: number, load: Load, ms: number): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-wrk-'));
  try {
    const script = load.lua === undefined ? [] : ['-s', await writeScript(folder, load.lua)];
    const connections = `-c${load.connections ?? 32}`;
    const args = [
      '-t1',
      connections,
      `-d${Math.round(Math.max(1000, ms, load.minMs ?? 0) / 1000)}s`,
      '--timeout',
      '20s',
    ];
    const { stdout } = await run('wrk', [
      ...args,
      ...script,
      `http://127.0.0.1:${port}${load.path}`,
    ]);
    const errors = /Non-2xx or 3xx responses: (\d+)|Socket errors: .*/.exec(stdout);
    if (errors !== null) throw new Error(`${load.path}: ${errors[0]}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every run begins with a number of its own, so that no write repeats what is there. */
async function writeScript(folder: string, lua: string): Promise<string> {
  const file = path.join(folder, 'request.lua');
  const seed = Math.floor(performance.now() * 1000) % 1_000_000;
  await writeFile(file, `local n = ${seed}\nfunction request()\n  n = n + 1\n  ${lua}\nend\n`);
  return file;
}
