/** The mesh's certificate authority: its first root, and another one when it is told to be another. */
import type { Clock } from '../../lib/clock.ts';
import { generateKey, kindOf, madeOf, readKey } from '../../lib/connect/keys.ts';
import { tryRoot } from '../../lib/connect/trial.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { Duty } from '../cluster/leader.ts';
import { LogTime } from '../cluster/log-time.ts';
import type { SetCaConfig, SetCaRoot, StoredCaConfig } from '../connect-commands.ts';
import type { Outcome } from '../state/outcome.ts';
import { type CaSettings, DEFAULT_CA_CONFIG, readCaSettings } from './ca-settings.ts';
import { certificates, type Issuing, type IssuingDeps } from './issuing.ts';
import { shortDomain } from './leaf-signer.ts';

/** What connect.ca_provider and connect.ca_config say, for an authority that was told nothing yet. */
export interface ConnectRules {
  readonly provider: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface AuthorityDeps extends IssuingDeps {
  readonly issuing: Issuing;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly logger: Logger;
  readonly rules: ConnectRules;
}

/** How its orders are written: in the name of whoever gives them, who may have lost his right meanwhile. */
export type ProposeOrder = (command: SetCaRoot | SetCaConfig) => Promise<Outcome>;

/** What someone wants the authority to be from now on. */
export type CaOrder = Pick<StoredCaConfig, 'Provider' | 'Config' | 'ForceWithoutCrossSigning'>;

const ROOT_NAME = 'Consul CA Root Cert';
const ROOT_LIFE_MS = 10 * 365.25 * 24 * 3600_000;

export class CertificateAuthority implements Duty {
  readonly #deps: AuthorityDeps;
  readonly #logTime: LogTime;
  /** One at a time: each follows what the one before it has made. */
  #configuring: Promise<unknown> = Promise.resolve();
  #founding: Promise<void> | undefined;
  /** Why there is none, as it was told last. */
  #told = '';

  constructor(deps: AuthorityDeps) {
    this.#deps = deps;
    this.#logTime = new LogTime(deps.clock);
  }

  /** As a leader's duty. An authority that is there is left as it is. */
  async tick(): Promise<void> {
    const { config, activeRoot } = this.#deps.state().authority;
    // Not awaited: to make a long key takes longer than a leader may be silent.
    if (config === undefined || activeRoot === undefined) this.#founding ??= this.#found();
    await this.#reap();
  }

  async #reap(): Promise<void> {
    const { state, propose, logger } = this.#deps;
    const { authority, leadership } = state();
    const now = this.#logTime.now(state());
    const roots = [...authority.keys.values()]
      .filter(({ goesAt }) => goesAt > 0 && goesAt <= now)
      .map(({ root }) => root);
    if (roots.length === 0) return;
    logger.info(`connect: forgets roots that nothing is valid by any more: ${roots.length}`);
    await propose({ type: 'reap-ca-roots', term: leadership.term, roots });
  }

  /** Throws 'rejected' for what is wrong, and where somebody else told it something meanwhile. */
  async configure(order: CaOrder, propose: ProposeOrder): Promise<void> {
    const settings = readCaSettings(order.Provider, order.Config);
    const turn = this.#configuring.then(() => this.#configure(order, settings, propose));
    this.#configuring = turn.catch(() => undefined);
    await turn;
  }

  /** What it did not come to is tried again with a later tick, and told once. */
  async #found(): Promise<void> {
    const { logger } = this.#deps;
    try {
      await this.#begin();
    } catch (error) {
      const why = describeChain(error);
      if (why !== this.#told) logger.error(`connect: there is no certificate authority: ${why}`);
      this.#told = why;
    } finally {
      this.#founding = undefined;
    }
  }

  async #begin(): Promise<void> {
    const { random, propose, rules, state, issuing } = this.#deps;
    if (state().authority.config === undefined) {
      const { provider, config } = rules;
      const settings = readCaSettings(provider, config);
      await propose({
        type: 'set-ca-config',
        config: {
          Provider: provider,
          Config: { ...DEFAULT_CA_CONFIG, ...config },
          State: null,
          ForceWithoutCrossSigning: false,
          ClusterID: random.uuid(),
        },
        leafTtlMs: settings.leafTtlMs,
        replaces: 0,
      });
    }
    const { Provider, Config } = issuing.config;
    await this.#newRoot(readCaSettings(Provider, Config), false, propose);
  }

  async #configure(order: CaOrder, settings: CaSettings, propose: ProposeOrder): Promise<void> {
    const { ClusterID, ModifyIndex } = this.#deps.issuing.config;
    if (this.#needsNewRoot(settings)) {
      const isDone = await this.#newRoot(settings, order.ForceWithoutCrossSigning, propose);
      if (!isDone) throw changedMeanwhile();
    }
    const { applied } = await propose({
      type: 'set-ca-config',
      config: { ...order, State: null, ClusterID },
      leafTtlMs: settings.leafTtlMs,
      replaces: ModifyIndex,
    });
    if (!applied) throw changedMeanwhile();
  }

  /** As Consul, which compares what was given; and where another kind of key is asked for. */
  #needsNewRoot(settings: CaSettings): boolean {
    const { authority } = this.#deps.state();
    const { activeRoot } = authority;
    const key = authority.keys.get(activeRoot?.ID ?? '');
    if (activeRoot === undefined || key === undefined) return true;
    if (madeOf(settings) !== key.madeOf) return true;
    if (settings.privateKey !== '' || !settings.isKindSaid) return false;
    const { type, bits } = settings.kind;
    return activeRoot.PrivateKeyType !== type || activeRoot.PrivateKeyBits !== bits;
  }

  /** False where somebody else made one meanwhile. */
  async #newRoot(
    settings: CaSettings,
    withoutCrossSigning: boolean,
    propose: ProposeOrder,
  ): Promise<boolean> {
    const { state, logger } = this.#deps;
    const before = state().authority.activeRoot;
    const command = await this.#made(settings, before?.ID ?? '', withoutCrossSigning);
    const { applied } = await propose(command);
    if (applied) logger.info(`connect: root ${command.root.ID} signs from now on`);
    return applied;
  }

  async #made(settings: CaSettings, replaces: string, alone: boolean): Promise<SetCaRoot> {
    const { factsOf, makeRoot } = await certificates();
    const trustDomain = this.#deps.issuing.trustDomain;
    const privateKey = settings.privateKey || (await generateKey(settings.kind));
    const serial = await this.#deps.issuing.serial();
    const from = this.#deps.clock.now();
    const cert =
      settings.rootCert ||
      (await makeRoot({
        privateKey,
        commonName: `pri-${letters(this.#deps.random)}.consul.ca.${shortDomain(trustDomain)}`,
        trustDomain,
        serial,
        validity: { from, to: from + ROOT_LIFE_MS },
      }));
    if (settings.privateKey !== '') await tryRoot(cert, privateKey, this.#deps.clock.now());
    const isCrossSigned = replaces !== '' && !alone;
    const cross = isCrossSigned ? await this.#crossSigned(replaces, cert, settings) : undefined;
    const facts = factsOf(cert);
    const kind = kindOf(readKey(privateKey));
    return {
      type: 'set-ca-root',
      root: {
        ID: facts.fingerprint,
        Name: ROOT_NAME,
        SerialNumber: serial,
        SigningKeyID: facts.signingKeyId,
        ExternalTrustDomain: this.#deps.issuing.config.ClusterID,
        NotBefore: facts.from,
        NotAfter: facts.to,
        RootCert: cert,
        IntermediateCerts: cross === undefined ? null : [cross],
        PrivateKeyType: kind.type,
        PrivateKeyBits: kind.bits,
      },
      key: { privateKey, madeOf: madeOf(settings), leafTtlMs: settings.leafTtlMs },
      replaces,
    };
  }

  async #crossSigned(by: string, root: string, settings: CaSettings): Promise<string> {
    const { crossSign } = await certificates();
    const serial = await this.#deps.issuing.serial();
    const from = this.#deps.clock.now();
    return crossSign({
      by: await this.#deps.issuing.issuer(by),
      root,
      trustDomain: this.#deps.issuing.trustDomain,
      serial,
      validity: { from, to: from + settings.intermediateTtlMs },
    });
  }
}

function changedMeanwhile(): ProconsulError {
  return new ProconsulError('rejected', 'the CA was changed by somebody else meanwhile');
}

/** Tells two roots apart by their names. */
function letters(random: Pick<Random, 'uuid'>): string {
  const number = Number.parseInt(random.uuid().replaceAll('-', '').slice(0, 10), 16);
  return number.toString(36).padStart(8, '0').slice(0, 7);
}
