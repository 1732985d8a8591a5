import { FILE_KEYS } from '../../../agent/definitions/file-keys.ts';
import type { ConfigHost, InterfaceAddress } from '../../../lib/config/config-host.ts';

function address(name: string, cidr: string): InterfaceAddress {
  const [plain = ''] = cidr.split('/');
  const family = plain.includes(':') ? 'IPv6' : 'IPv4';
  return { name, address: plain, cidr, family, loopback: name === 'lo' };
}

export interface FakeMachine {
  /** Path → text; the folders follow from the paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** Interface → addresses with their prefix length; eth0 leads to the world. */
  readonly interfaces?: Readonly<Record<string, readonly string[]>>;
}

/** A machine made up for a spec: named 'host-1', with 10.0.0.7 on eth0. */
export function fakeConfigHost({ files = {}, interfaces }: FakeMachine = {}): ConfigHost {
  const all = interfaces ?? { lo: ['127.0.0.1/8'], eth0: ['10.0.0.7/24'] };
  const texts = new Map(Object.entries(files));
  const inside = (path: string) => [...texts.keys()].filter((each) => each.startsWith(`${path}/`));
  const missing = () => Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  return {
    readFile(path) {
      const text = texts.get(path);
      if (text === undefined) throw missing();
      return text;
    },
    readFolder: (path) => [
      ...new Set(inside(path).map((each) => each.slice(path.length + 1).split('/')[0] ?? '')),
    ],
    isFolder(path) {
      if (texts.has(path)) return false;
      if (inside(path).length === 0) throw missing();
      return true;
    },
    definitions: FILE_KEYS,
    hostname: () => 'host-1',
    interfaces: () =>
      Object.entries(all).flatMap(([name, cidrs]) => cidrs.map((cidr) => address(name, cidr))),
    defaultInterface: () => 'eth0',
  };
}
