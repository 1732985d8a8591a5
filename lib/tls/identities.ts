/**
 * How this process speaks TLS: what it shows and trusts at each of its doors, and on its way to
 * servers. Files are read at the start and at a reload, all of them before any is used; connections
 * that are open stay as they are.
 */
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsConfig } from '../config/config.ts';
import type { TlsSettings, TlsVersion } from '../config/keys/tls.ts';
import { messageOf, ProconsulError } from '../errors.ts';
import { certificatesIn, type Pems, readPems } from './pem-files.ts';

/** What a listener needs to take connections. A reload makes another; none is ever changed. */
export interface ServerSide extends SecureContextOptions {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** How an agent speaks to servers. */
export interface ClientSide {
  /** Undefined where there is no authority to trust: then TLS would say nothing of the other side. */
  readonly options: SecureContextOptions | undefined;
  /** Nothing is ever said in the clear. */
  readonly isRequired: boolean;
  /** The servers' certificates must be of an authority that is trusted. */
  readonly verifies: boolean;
  /** Whether they must be of the name of a server: an agent's certificate is none. */
  readonly verifiesName: boolean;
}

interface Held {
  /** Undefined without a certificate. */
  readonly https: ServerSide | undefined;
  readonly grpc: ServerSide | undefined;
  readonly agents: ServerSide | undefined;
  readonly agentsMustShow: boolean;
  readonly servers: ClientSide;
  readonly lives: readonly Life[];
  readonly rootless: readonly string[];
}

/** Until when a certificate is one. */
interface Life {
  readonly certFile: string;
  readonly endsAt: number;
}

export interface IdentitiesOptions {
  readonly config: TlsConfig;
  /** Told of each certificate that has ended or will soon. */
  readonly warn: (text: string) => void;
  readonly now: () => number;
}

export class Identities {
  readonly #options: IdentitiesOptions;
  #held: Held;

  /** Throws ProconsulError 'rejected' with why a file is of no use. */
  constructor(options: IdentitiesOptions) {
    this.#options = options;
    this.#held = read(options.config);
    this.warnOfFaults();
  }

  /** Reads everything anew. Where that throws, everything is as before. */
  takeOver(config: TlsConfig): void {
    const held = read(config);
    // A door that was opened for TLS must not be left without it, nor agents who were told of it.
    for (const door of ['https', 'grpc', 'agents'] as const) {
      if (this.#held[door] === undefined || held[door] !== undefined) continue;
      const why = 'no certificate is named any more, which only a start can mean';
      throw new ProconsulError('rejected', why);
    }
    this.#held = held;
    this.warnOfFaults();
  }

  /** Tells of each certificate that is of no use, or soon will be of none. */
  warnOfFaults(): void {
    const { warn, now } = this.#options;
    for (const life of this.#held.lives) {
      const text = ending(life, now());
      if (text !== undefined) warn(text);
    }
    for (const file of this.#held.rootless) {
      warn(`${file} has an authority without the root above it: verify_incoming takes none of its`);
    }
  }

  /** What clients are shown; undefined where there is no certificate for it. */
  get https(): ServerSide | undefined {
    return this.#held.https;
  }

  /** What clients of gRPC are shown. */
  get grpc(): ServerSide | undefined {
    return this.#held.grpc;
  }

  /** What agents are shown at ports.server. */
  get agents(): ServerSide | undefined {
    return this.#held.agents;
  }

  /** Agents must speak TLS and show a certificate. */
  get agentsMustShow(): boolean {
    return this.#held.agentsMustShow;
  }

  /** How this agent speaks to servers. */
  get servers(): ClientSide {
    return this.#held.servers;
  }
}

function read({ https, grpc, internalRpc: rpc }: TlsConfig): Held {
  const [forClients, forGrpc, forAgents] = [readPems(https), readPems(grpc), readPems(rpc)];
  const sides = [
    [https, forClients],
    [grpc, forGrpc],
    [rpc, forAgents],
  ] as const;
  return {
    https: serverSide(https, forClients),
    grpc: serverSide(grpc, forGrpc),
    agents: serverSide(rpc, forAgents),
    agentsMustShow: rpc.verifyIncoming,
    servers: {
      options:
        forAgents.ca === undefined && !rpc.verifyOutgoing
          ? undefined
          : usable({ ...spoken(rpc), ...forOpenSsl(forAgents) }),
      isRequired: rpc.verifyOutgoing,
      verifies: rpc.verifyOutgoing,
      verifiesName: rpc.verifyServerHostname,
    },
    // One that several show is told of once.
    lives: [...new Map(sides.flatMap(([side, pems]) => livesOf(side, pems))).values()],
    rootless: [...new Set(sides.flatMap(([side, pems]) => rootless(side, pems)))],
  };
}

function serverSide(settings: TlsSettings, pems: Pems): ServerSide | undefined {
  const { ca, cert, key } = pems;
  if (cert === undefined || key === undefined) return undefined;
  const { verifyIncoming, prefersOwnSuites: honorCipherOrder } = settings;
  return usable({
    ...spoken(settings),
    // Where nobody is verified no authority is needed, and OpenSSL would show it with the certificate.
    ...forOpenSsl(verifyIncoming && ca !== undefined ? { ca, cert, key } : { cert, key }),
    honorCipherOrder,
    // A client could have one handshake after the other made on one connection; Go makes none either.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    requestCert: verifyIncoming,
    rejectUnauthorized: verifyIncoming,
  });
}

/**
 * An authority may stand between a root and the certificates: naming it is to trust it, as in Consul.
 * Node's server passes that over, so there it is warned of.
 */
function forOpenSsl({ ca, ...pair }: Pems): SecureContextOptions {
  const trust = ca === undefined ? {} : { ca: [...ca], allowPartialTrustChain: true };
  return { ...pair, ...trust };
}

const OF_TLS_13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];
/** With forward secrecy and authenticated encryption, and no others: every client of today has one. */
const GOOD_SUITES = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap(
  (suite) => [`ECDHE-ECDSA-${suite}`, `ECDHE-RSA-${suite}`],
);
/** What there was before TLS 1.2; OpenSSL gives it only to whoever lowers its guard. */
const OLD_SUITES = ['AES128-SHA', 'AES256-SHA'].flatMap((suite) => [
  `ECDHE-ECDSA-${suite}`,
  `ECDHE-RSA-${suite}`,
]);
const OLD_VERSIONS: ReadonlySet<TlsVersion> = new Set(['TLSv1', 'TLSv1.1']);

function spoken({ minVersion, suites }: TlsSettings): SecureContextOptions {
  const isOld = OLD_VERSIONS.has(minVersion);
  const chosen = suites.length > 0 ? suites : [...GOOD_SUITES, ...(isOld ? OLD_SUITES : [])];
  const lowered = isOld ? ['@SECLEVEL=0'] : [];
  return { minVersion, ciphers: [...OF_TLS_13, ...chosen, ...lowered].join(':') };
}

/** OpenSSL has the last word on whether all of it goes together. */
function usable<T extends SecureContextOptions>(options: T): T {
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    const why = messageOf(error);
    throw new ProconsulError('rejected', `the certificates and suites are of no use: ${why}`);
  }
}

const DAY_MS = 24 * 3600_000;
/** Long enough to do something about it in working hours. */
const SOON_DAYS = 14;

function livesOf({ certFile }: TlsSettings, { cert }: Pems): readonly (readonly [string, Life])[] {
  const [own] = certificatesIn(cert ?? '');
  if (own === undefined) return [];
  return [[certFile, { certFile, endsAt: Date.parse(own.validTo) }]];
}

/** Where nobody could be verified by an authority that is named. */
function rootless(settings: TlsSettings, { ca = [] }: Pems): readonly string[] {
  const all = ca.flatMap(certificatesIn);
  const isWhole = all.every((each) => all.some((above) => each.checkIssued(above)));
  return isWhole || !settings.verifyIncoming ? [] : [settings.caFile || settings.caPath];
}

function ending({ certFile, endsAt }: Life, now: number): string | undefined {
  const days = Math.floor((endsAt - now) / DAY_MS);
  if (days < 0) return `the certificate of ${certFile} has ended: others refuse it`;
  return days < SOON_DAYS ? `the certificate of ${certFile} ends in ${days} days` : undefined;
}
