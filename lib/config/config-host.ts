/** What reading a configuration needs from elsewhere; specs put a made-up machine in its place. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { readWhole } from '../read-whole.ts';
import type { Problems } from './problems.ts';
import type { Keys, Tree } from './row.ts';

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  /** With the length of its prefix: '10.0.0.7/24'. */
  readonly cidr: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly loopback: boolean;
}

export interface ConfigHost {
  /** These three throw as node:fs does. */
  readFile(path: string): string;
  readFolder(path: string): readonly string[];
  isFolder(path: string): boolean;
  hostname(): string;
  interfaces(): readonly InterfaceAddress[];
  /** The interface that packets to the world leave by, if there is one. */
  defaultInterface(): string | undefined;
  /** How `check`, `checks`, `service` and `services` are written: the agent says that. */
  readonly definitions: Keys;
}

/** What the values of a configuration are worked out from, beside the values themselves. */
export interface Source {
  /** What flags and files say and -dev implies, without defaults. */
  readonly raw: Tree;
  readonly host: ConfigHost;
  readonly problems: Problems;
  readonly devMode: boolean;
}

/** Of a file of a configuration, thousands of services and all. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** This machine. */
export const systemConfigHost: Omit<ConfigHost, 'definitions'> = {
  readFile: (path) => readWhole(path, MAX_FILE_BYTES).toString(),
  readFolder: (path) => readdirSync(path),
  isFolder: (path) => statSync(path).isDirectory(),
  hostname,
  interfaces() {
    return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ address, cidr, family, internal }) => ({
        name,
        address,
        cidr: cidr ?? address,
        family,
        loopback: internal,
      })),
    );
  },
  defaultInterface,
};

function defaultInterface(): string | undefined {
  let table: string;
  try {
    table = readFileSync('/proc/net/route', 'utf8');
  } catch {
    // Not Linux: then nobody knows, and what asks for it finds nothing.
    return undefined;
  }
  const rows = table.split('\n').map((row) => row.split('\t'));
  return rows.find(([, destination]) => destination === '00000000')?.[0];
}
