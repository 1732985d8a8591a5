/** The clients of gRPC that know xDS, as their registries have them: installed where their language is there. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GrpcClient } from './grpc-rounds.ts';

const GRPC_GO = 'v1.85.0';
const GRPC_JS = '1.14.7';
const GRPC_JS_XDS = '1.14.1';
const INSTALL_MS = 15 * 60_000;

const sourceOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Why it cannot be had, where it cannot. */
export type Installed = GrpcClient | string;

/** Into a folder of its own in that one; what is there already is taken. */
export function grpcGo(folder: string): Installed {
  const own = join(folder, 'go');
  const binary = join(own, 'caller');
  const go = spawnSync('go', ['version']);
  if (go.status !== 0) return 'there is no go';
  if (!existsSync(binary)) {
    mkdirSync(own, { recursive: true });
    copyFileSync(sourceOf('caller.go'), join(own, 'main.go'));
    const fault =
      run(own, 'go', ['mod', 'init', 'caller']) ??
      run(own, 'go', ['get', `google.golang.org/grpc@${GRPC_GO}`]) ??
      run(own, 'go', ['mod', 'tidy']) ??
      run(own, 'go', ['build', '-o', 'caller', '.']);
    if (fault !== undefined) return fault;
  }
  // It takes no list of addresses, and turns to the next of `xds_servers` only where there is something that it does not know
  // yet: one that was told all stays with a server that is gone. Of a name it tries each address.
  return { name: 'grpc-go', command: [binary], serverOf: ({ named }) => named };
}

export function grpcJs(folder: string): Installed {
  const own = join(folder, 'js');
  const script = join(own, 'caller.mjs');
  if (!existsSync(script)) {
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'package.json'), '{"private":true}');
    const names = [`@grpc/grpc-js@${GRPC_JS}`, `@grpc/grpc-js-xds@${GRPC_JS_XDS}`];
    const fault = run(own, 'npm', ['install', '--no-audit', '--no-fund', ...names]);
    if (fault !== undefined) return fault;
    copyFileSync(sourceOf('caller.mjs'), script);
  }
  return {
    name: 'grpc-js',
    command: [process.execPath, script],
    // It heeds the first of a list alone, whose name may be of several addresses.
    serverOf: ({ places }) =>
      `ipv4:${places.map(({ grpc: { host, port } }) => `${host}:${port}`).join(',')}`,
  };
}

/** `proconsul/grpc`, as it stands here: it asks an agent, by HTTP. */
export function proconsulGrpc(): GrpcClient {
  const resolver = new URL('../../../../client/grpc.ts', import.meta.url).href;
  return {
    name: 'proconsul/grpc',
    command: [process.execPath, '--import', 'tsx', sourceOf('caller.mjs')],
    serverOf: ({ named }) => named,
    targetOf: ({ places }) =>
      places.length === 1 ? `consul://127.0.0.1:${places[0]?.http}/web` : undefined,
    more: [resolver],
  };
}

function run(cwd: string, program: string, args: readonly string[]): string | undefined {
  const { status, stderr } = spawnSync(program, args, { cwd, timeout: INSTALL_MS });
  return status === 0 ? undefined : `${program} ${args.join(' ')}: ${String(stderr).trim()}`;
}
