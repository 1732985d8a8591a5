/** Certificates of a spec's own, in a folder that goes with the spec. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsConfig } from '../../lib/config/config.ts';
import type { RpcTlsSettings } from '../../lib/config/keys/tls.ts';
import { createAuthority, issueCertificate, type Pair } from '../../lib/tls/issue.ts';

export interface Files {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Wanted {
  /** The first is the common name too. */
  readonly names?: readonly string[];
  /** Days from now to its end; less than 0 for one that has ended. */
  readonly days?: number;
  readonly usages?: readonly ('server' | 'client')[];
}

const DAY_MS = 24 * 3600_000;
const folders: string[] = [];

/** Also for programs that are no specs. */
export function removeTlsFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

if (typeof afterEach === 'function') afterEach(removeTlsFolders);

export function tlsFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'proconsul-tls-'));
  folders.push(folder);
  return folder;
}

export class TestAuthority {
  readonly folder: string;
  readonly pair: Pair;
  readonly caFile: string;
  #made = 0;

  private constructor(folder: string, pair: Pair) {
    this.folder = folder;
    this.pair = pair;
    this.caFile = join(folder, 'ca.pem');
    writeFileSync(this.caFile, pair.cert);
  }

  static async create(): Promise<TestAuthority> {
    return new TestAuthority(tlsFolder(), await createAuthority({ days: 30, now: Date.now() }));
  }

  async issue(wanted: Wanted = {}): Promise<Pair> {
    const { names = ['localhost'], days = 20, usages = ['server', 'client'] } = wanted;
    const [commonName = ''] = names;
    const hasEnded = days < 0;
    const now = Date.now() - (hasEnded ? 2 - days : 0) * DAY_MS;
    return issueCertificate({
      authority: this.pair,
      commonName,
      dnsNames: names,
      ips: ['127.0.0.1'],
      usages,
      days: hasEnded ? 1 : days,
      now,
    });
  }

  /** The same, as files. */
  async files(wanted: Wanted = {}, over?: Files): Promise<Files> {
    const pair = await this.issue(wanted);
    this.#made++;
    const { certFile, keyFile } = over ?? {
      certFile: join(this.folder, `${this.#made}.pem`),
      keyFile: join(this.folder, `${this.#made}-key.pem`),
    };
    writeFileSync(certFile, pair.cert);
    writeFileSync(keyFile, pair.key);
    return { certFile, keyFile };
  }
}

const NOTHING: RpcTlsSettings = {
  caFile: '',
  caPath: '',
  certFile: '',
  keyFile: '',
  minVersion: 'TLSv1.2',
  suites: [],
  prefersOwnSuites: false,
  verifyIncoming: false,
  verifyOutgoing: false,
  verifyServerHostname: false,
};

/** Settings of both listeners, each from what is said of it. */
export function tlsSettings(
  https: Partial<TlsConfig['https']>,
  internalRpc: Partial<RpcTlsSettings> = {},
): TlsConfig {
  const { verifyOutgoing: _, verifyServerHostname: __, ...nothing } = NOTHING;
  return {
    https: { ...nothing, ...https },
    grpc: nothing,
    internalRpc: { ...NOTHING, ...internalRpc },
  };
}
