/** Who this proxy is in the mesh, and by which roots it knows others: both renewed by the agent, and followed. */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Cancel } from '../../lib/clock.ts';
import { parseIdentity, type ServiceIdentity, serviceUri } from '../../lib/connect/identity.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { inPath } from '../../lib/well-formed.ts';
import { type Agent, follow, type Loss } from '../follow.ts';
import { AS_THEY_CAME, type Normal, normalIn } from './normal-requests.ts';
import { type TlsRules, tlsRulesIn, USUAL_RULES } from './tls-rules.ts';

interface Own {
  readonly certificate: string;
  readonly key: string;
  readonly identity: ServiceIdentity;
}

/** What both sides of a connection show and trust. A renewal makes another. */
export interface Credentials {
  /** Of a connection that it opens. */
  readonly calling: SecureContextOptions;
  /** Of one that comes to it. */
  readonly called: SecureContextOptions;
  readonly identity: ServiceIdentity;
}

export interface IdentityOptions {
  readonly service: string;
  readonly agent: Agent;
  readonly logger: Logger;
}

export class Identity {
  readonly #options: IdentityOptions;
  readonly #listeners = new Set<(now: Credentials) => void>();
  #own: Own | undefined;
  #roots: readonly string[] = [];
  /** Undefined until it is known whether the mesh says anything of it. */
  #tls: TlsRules | undefined;
  #unheeded = '';
  /** How whoever lets calls in writes them, as the mesh says. */
  normal: Normal = AS_THEY_CAME;
  #credentials: Credentials | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** Undefined until the agent has said both. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** Called with each that comes, until it is cancelled. */
  onChange(listener: (now: Credentials) => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { agent, service } = this.#options;
    const leaf = `/v1/agent/connect/ca/leaf/${inPath(service)}`;
    const lost = (loss: Loss) => this.#lost(loss);
    await Promise.all([
      follow(agent, { path: leaf, query: [], take: (json) => this.#takeLeaf(json), lost }, signal),
      follow(
        agent,
        {
          path: '/v1/agent/connect/ca/roots',
          query: [],
          take: (json) => this.#takeRoots(json),
          lost,
        },
        signal,
      ),
      follow(
        agent,
        {
          path: '/v1/config/mesh',
          query: [],
          take: (json) => {
            this.normal = normalIn(json);
            this.#takeTls(tlsRulesIn(json));
          },
          lost: (loss) => this.#lostTls(loss),
        },
        signal,
      ),
    ]);
  }

  /** The name by which a service's certificate is known; '' for the data centre that this proxy is in. */
  uriOf(service: string, datacenter: string): string {
    const { identity } = this.#credentials ?? {};
    if (identity === undefined) return '';
    return serviceUri({ ...identity, service, datacenter: datacenter || identity.datacenter });
  }

  #takeLeaf(json: unknown): void {
    const { CertPEM, PrivateKeyPEM, ServiceURI } = (json ?? {}) as Readonly<
      Record<string, unknown>
    >;
    const all = [CertPEM, PrivateKeyPEM, ServiceURI];
    const [certificate = '', key = '', uri = ''] = all.map((each) => String(each ?? ''));
    const parsed = parseIdentity(uri);
    if (parsed.kind !== 'service') throw new ProconsulError('unavailable', `${uri} is no service`);
    this.#own = { certificate, key, identity: parsed.identity };
    this.#made();
  }

  #takeRoots(json: unknown): void {
    const { Roots } = (json ?? {}) as { readonly Roots?: unknown };
    const listed = Array.isArray(Roots) ? (Roots as Readonly<Record<string, unknown>>[]) : [];
    const certificates = listed.map((root) => String(root?.['RootCert'] ?? ''));
    if (certificates.length === 0) throw new ProconsulError('unavailable', 'there are no roots');
    this.#roots = certificates;
    this.#made();
  }

  #takeTls(rules: TlsRules): void {
    this.#tls = rules;
    const unheeded = rules.unheeded.join(', ');
    if (unheeded !== '' && unheeded !== this.#unheeded) {
      const { logger, service } = this.#options;
      logger.warn('sidecar: what the mesh says of these has no effect', { service, unheeded });
    }
    this.#unheeded = unheeded;
    this.#made();
  }

  /** An agent that knows nothing of it keeps nobody from calling. */
  #lostTls({ why, what, level, tries, isToSay }: Loss): void {
    if (this.#tls === undefined) this.#takeTls(USUAL_RULES);
    if (!isToSay) return;
    const { logger, service } = this.#options;
    const line = `sidecar: ${what}, and TLS is spoken as before`;
    logger[level](line, { service, tries, error: why });
  }

  /** What is of no use is not put in place of what is. */
  #made(): void {
    const own = this.#own;
    const tls = this.#tls;
    if (own === undefined || tls === undefined || this.#roots.length === 0) return;
    const { certificate: cert, key, identity } = own;
    const ca = [...this.#roots];
    const shown = { cert, key, ca };
    const [called, calling] = [
      { ...tls.called, ...shown },
      { ...tls.calling, ...shown },
    ];
    try {
      for (const each of [called, calling]) createSecureContext(each);
    } catch (error) {
      throw new ProconsulError(
        'unavailable',
        `a certificate, or what the mesh says of TLS, is of no use: ${messageOf(error)}`,
      );
    }
    const now = { called, calling, identity };
    this.#credentials = now;
    for (const listener of this.#listeners) listener(now);
  }

  #lost({ why, what, level, tries, isToSay }: Loss): void {
    if (!isToSay) return;
    const { logger, service } = this.#options;
    const has = this.#credentials ? 'certificates stay as they are' : 'there is no certificate yet';
    logger[level](`sidecar: ${what}, and ${has}`, { service, tries, error: why });
  }
}
