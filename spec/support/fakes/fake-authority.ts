/** A certificate authority of a spec's own, that signs in earnest. */
import type { AskedLeaf, Authority, KnownRoots } from '../../../agent/connect/authority.ts';
import { factsOf, issuerOf, makeRoot } from '../../../lib/connect/certificates.ts';
import { asGoWrites, generateKey } from '../../../lib/connect/keys.ts';
import { makeLeaf } from '../../../lib/connect/leaf.ts';
import type { CaRoot } from '../../../lib/connect/model.ts';
import { readRequest } from '../../../lib/connect/request.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { FakeClock } from './fake-clock.ts';

const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
const HOUR_MS = 3600_000;
const LIFE_MS = 100 * HOUR_MS;

interface Signing {
  readonly root: CaRoot;
  readonly privateKey: string;
}

export class FakeAuthority implements Authority {
  readonly #clock: FakeClock;
  readonly #wake = new Set<() => void>();
  #active: Signing | undefined;
  #index = 10;
  #signed = 0;
  /** What signing comes to, where it fails. */
  failure: ProconsulError | undefined;
  /** As a server of before. */
  givesNames = true;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** How many certificates it has signed. */
  get signed(): number {
    return this.#signed;
  }

  /** Another root signs from now on. */
  async rotate(): Promise<void> {
    const privateKey = await generateKey({ type: 'ec', bits: 256 });
    const from = this.#clock.now();
    const RootCert = await makeRoot({
      privateKey,
      commonName: 'root',
      trustDomain: DOMAIN,
      serial: ++this.#index,
      validity: { from, to: from + 1000 * LIFE_MS },
    });
    const { fingerprint } = factsOf(RootCert);
    const root = {
      ID: fingerprint,
      RootCert,
      Active: true,
      PrivateKeyType: 'ec',
      PrivateKeyBits: 256,
    };
    this.#active = { root: root as unknown as CaRoot, privateKey };
    for (const wake of [...this.#wake]) wake();
  }

  async roots(seenIndex: number, _waitMs: number, signal: AbortSignal): Promise<KnownRoots> {
    if (this.#active === undefined) await this.rotate();
    const now = () => this.#known();
    if (now().index !== seenIndex) return now();
    return new Promise((resolve) => {
      const wake = () => {
        this.#wake.delete(wake);
        resolve(now());
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  async intentionsOn() {
    return { intentions: [], isHit: false };
  }

  async defaults() {
    return { index: 1, defaults: { Proxy: {}, Upstreams: [] } };
  }

  async sign({ csr, forIngress }: AskedLeaf) {
    if (this.failure !== undefined) throw this.failure;
    const active = this.#active;
    if (active === undefined) throw new ProconsulError('rejected', 'no root');
    const { publicKey, uri } = await readRequest(csr);
    const by = await issuerOf(active.root.RootCert, active.privateKey);
    const from = this.#clock.now();
    const validity = { from, to: from + LIFE_MS };
    const serial = ++this.#signed;
    const CertPEM = await makeLeaf({
      ...{ by, publicKey, uri, commonName: 'x', serial, validity },
      hosts: forIngress && this.givesNames ? ['edge.example'] : [],
    });
    return {
      SerialNumber: String(serial),
      CertPEM,
      Service: uri.slice(uri.lastIndexOf('/') + 1),
      ServiceURI: uri,
      ValidAfter: asGoWrites(from),
      ValidBefore: asGoWrites(validity.to),
      CreateIndex: serial,
      ModifyIndex: serial,
    };
  }

  #known(): KnownRoots {
    const root = this.#active?.root as CaRoot;
    return {
      index: this.#index,
      roots: { ActiveRootID: root.ID, TrustDomain: DOMAIN, Roots: [root] },
    };
  }
}
