/** Signs who a service is, for whoever may be it. Any server does: the keys are in the log. */
import type { Clock } from '../../lib/clock.ts';
import { parseIdentity, type ServiceIdentity, serviceUri } from '../../lib/connect/identity.ts';
import { asGoWrites, inPairs } from '../../lib/connect/keys.ts';
import { makeLeaf } from '../../lib/connect/leaf.ts';
import type { Leaf } from '../../lib/connect/model.ts';
import { readRequest } from '../../lib/connect/request.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { readCaSettings } from './ca-settings.ts';
import { type Issuing, notReady, serialOf } from './issuing.ts';

export interface LeafSignerDeps {
  readonly state: () => State;
  readonly issuing: Issuing;
  readonly clock: Pick<Clock, 'now'>;
  readonly datacenter: string;
  /** Names of DNS by which the gateway of that name is asked for from outside. */
  readonly hostsOf: (gateway: string) => readonly string[];
}

export interface Asked {
  readonly csr: string;
  /** For callers from outside: with the names of DNS that the gateway's entry says, and no others. */
  readonly forIngress: boolean;
}

interface Granted {
  readonly forIngress: boolean;
  readonly uri: string;
  readonly service: string;
  /** As DER. */
  readonly publicKey: Buffer;
  readonly serial: number;
}

/** Clocks of those who look at a certificate differ. */
const SKEW_MS = 60_000;
/** Each takes some milliseconds, and others are to be answered in between. */
const MAX_AT_ONCE = 4;
/** Beyond these nobody would be served in time: who asks is told so. */
const MAX_WAITING = 5000;
/** Of a certificate's subject. */
const MAX_COMMON_NAME = 64;

/** Writes, for whoever asks, that a certificate of the service is made. Rejects where he may not have it. */
export type TakeSerialFor = (service: string) => Promise<Outcome>;

export class LeafSigner {
  readonly #deps: LeafSignerDeps;
  readonly #waiting: (() => void)[] = [];
  #signing = 0;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(deps: LeafSignerDeps) {
    this.#deps = deps;
  }

  /**
   * A certificate for whoever has the key of the request. It may have waited, or this server be behind:
   * whether he may have it is decided by the entry that its serial number is from.
   */
  sign({ csr, forIngress }: Asked, takeSerialFor: TakeSerialFor): Promise<Leaf> {
    return this.#inTurn(async () => {
      const { publicKey, uri } = await this.#read(csr);
      const { service } = this.#ours(uri);
      const serial = await serialOf(takeSerialFor(service));
      return this.#leafFor({ uri, service, publicKey, serial, forIngress });
    });
  }

  /** One in a turn of the loop: strangers' requests take milliseconds, and are many at once. */
  #read(csr: string) {
    const found = this.#reading.then(async () => {
      await new Promise((done) => setImmediate(done));
      return readRequest(csr);
    });
    this.#reading = found.catch(() => undefined);
    return found;
  }

  async #leafFor({ uri, service, publicKey, serial, forIngress }: Granted): Promise<Leaf> {
    const { issuing, state, clock } = this.#deps;
    // After the entry: what it is signed by is at least as new as that.
    const { activeRoot } = state().authority;
    if (activeRoot === undefined) throw notReady();
    const { Provider, Config } = issuing.config;
    const from = clock.now() - SKEW_MS;
    const validity = { from, to: from + readCaSettings(Provider, Config).leafTtlMs };
    const commonName = leafName(service, issuing.trustDomain);
    const by = await issuing.issuer(activeRoot.ID);
    const hosts = forIngress ? this.#deps.hostsOf(service) : [];
    const cert = await makeLeaf({ by, publicKey, commonName, uri, hosts, serial, validity });
    return {
      SerialNumber: inPairs(serial.toString(16)),
      CertPEM: [cert, ...(activeRoot.IntermediateCerts ?? [])].join(''),
      Service: service,
      ServiceURI: uri,
      ValidAfter: asGoWrites(validity.from),
      ValidBefore: asGoWrites(validity.to),
      CreateIndex: serial,
      ModifyIndex: serial,
    };
  }

  /** Throws where the id is none that this authority vouches for. */
  #ours(uri: string): ServiceIdentity {
    const { issuing, datacenter } = this.#deps;
    const found = parseIdentity(uri);
    if (found.kind !== 'service') throw refused('SPIFFE ID in CSR must be a service ID');
    const { identity } = found;
    if (identity.trustDomain !== issuing.trustDomain) {
      throw refused(
        `SPIFFE ID in CSR from a different trust domain: ${identity.trustDomain}, ` +
          `we are ${issuing.trustDomain}`,
      );
    }
    if (identity.datacenter !== datacenter) {
      throw refused(
        `SPIFFE ID in CSR from a different datacenter: ${identity.datacenter}, we are ${datacenter}`,
      );
    }
    // It is in the certificate as it came: others may read another name out of another spelling.
    const usual = serviceUri({ ...identity, namespace: 'default' });
    if (uri !== usual) throw refused(`SPIFFE ID in CSR is to be written ${usual}`);
    return identity;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#signing < MAX_AT_ONCE) this.#signing++;
    else if (this.#waiting.length < MAX_WAITING) {
      // Whoever is done hands its place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else throw new ProconsulError('busy', 'Too many certificates are being signed');
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#signing--;
      else next();
    }
  }
}

function refused(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}

/** Of the first eight letters of the domain, so that it is short enough. */
export function shortDomain(trustDomain: string): string {
  const [id = '', ...rest] = trustDomain.split('.');
  return [id.slice(0, 8), ...rest].join('.');
}

function leafName(service: string, trustDomain: string): string {
  const plain = service.toLowerCase().replace(/[^a-z0-9]/g, '');
  const behind = `.svc.default.${shortDomain(trustDomain)}`;
  return plain.slice(0, MAX_COMMON_NAME - behind.length) + behind;
}
