/** What reading a configuration needs of the machine; specs put a made-up one in its place. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

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
}

export const systemConfigHost: ConfigHost = {
  readFile: (path) => readFileSync(path, 'utf8'),
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
