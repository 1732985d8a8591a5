/** This agent's part of the catalog: how it differs from the local state, and telling it changes. */
import { ProconsulError } from '../../lib/errors.ts';
import type {
  CheckDefinition,
  Deregistration,
  NodeDefinition,
  ServiceDefinition,
} from '../../lib/model.ts';
import type { LocalCheck, LocalService, LocalState } from '../state/local-state.ts';
import type { Catalog } from './catalog.ts';
import type { Change } from './changes.ts';
import { type Drift, findDrift } from './drift.ts';

export interface OwnCatalogOptions {
  readonly local: LocalState;
  readonly catalog: Catalog;
  readonly self: Self;
}

export interface Self {
  /** Asked anew each time: its metadata and addresses may change on a reload. */
  readonly node: () => NodeDefinition;
  /** What a server registers of itself beside its local services. */
  readonly ownService?: ServiceDefinition;
  /** Says in the catalog that this agent lives. */
  readonly aliveCheck: CheckDefinition;
  readonly tokens: OwnTokens;
}

/** Asked anew each time: they may be set while the agent runs. */
export interface OwnTokens {
  /** For the node itself, and to take out whatever is on it. */
  readonly agent: string;
  /** For what was registered without a token. */
  readonly user: string;
}

/** What the catalog would not take, and why. */
export interface Refused {
  readonly change: Change;
  readonly error: ProconsulError;
}

/** Whether the catalog has understood and will not do it; else it may the next time. */
function isRefusal(error: unknown): error is ProconsulError {
  if (!(error instanceof ProconsulError)) return false;
  return !['unavailable', 'unknown', 'busy'].includes(error.code);
}

/** Whether no server was there that could have done it. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof ProconsulError && (error.code === 'unavailable' || error.code === 'unknown')
  );
}

export class OwnCatalog {
  readonly #options: OwnCatalogOptions;
  /** The node is there, as it should be: nothing of it needs to be sent again. */
  #nodeKnown = false;

  constructor(options: OwnCatalogOptions) {
    this.#options = options;
  }

  /** Where it differs; `deferred` are the checks whose output may. */
  async compare(deferred: ReadonlySet<string>): Promise<Drift> {
    const { local, catalog, self } = this.#options;
    const node = self.node();
    const known = await catalog.node(node.Node, self.tokens.agent);
    const drift = await findDrift({ ...self, local, node }, known, deferred);
    this.#nodeKnown = !drift.node;
    return drift;
  }

  async registerSelf(): Promise<void> {
    const { catalog, self } = this.#options;
    const { ownService: service, aliveCheck } = self;
    await catalog.registerSelf(
      {
        node: self.node(),
        skipNodeUpdate: false,
        ...(service !== undefined && { service }),
        checks: [aliveCheck],
      },
      self.tokens.agent,
    );
    this.#nodeKnown = true;
  }

  /**
   * The node together with a service: false, with nothing said to be there, where it is not the agent's own token
   * that brings all of that service, or where it was refused. Then each is to be told by itself.
   */
  async registerWith(serviceId: string, change: Change): Promise<boolean> {
    const { local, catalog, self } = this.#options;
    const service = local.services.get(serviceId);
    const checks = [...change.checks].map((id) => local.checks.get(id));
    const isWhole = checks.every((check) => check?.definition.ServiceID === serviceId);
    if (service === undefined || !isWhole || self.ownService !== undefined) return false;
    const parts = this.#byToken(checks as LocalCheck[], service);
    const part = parts.size === 1 ? parts.get(self.tokens.agent) : undefined;
    if (part === undefined) return false;
    const registration = {
      node: self.node(),
      skipNodeUpdate: false,
      service: service.definition,
      checks: [self.aliveCheck, ...part.checks.map(({ definition }) => definition)],
    };
    const written = catalog.registerSelf(registration, self.tokens.agent);
    const refused = await refusalOf(change, written);
    if (refused.length > 0) return false;
    this.#nodeKnown = true;
    return true;
  }

  /**
   * What the node has by itself is put back where something under its id is gone: a client who could
   * never put anything in its place must not have it taken out with the agent's token.
   */
  #takeOut(what: Pick<Deregistration, 'serviceId' | 'checkId'>): Promise<void> {
    const { self } = this.#options;
    const { serviceId, checkId } = what;
    const isService = serviceId !== undefined && serviceId === self.ownService?.ID;
    if (isService || checkId === self.aliveCheck.CheckID) return this.registerSelf();
    return this.#deregister({ node: self.node().Node, ...what });
  }

  /**
   * Tells what changed of a service. Resolves with the part that was refused; rejects where nobody
   * could be asked, and so nothing is known to be there.
   */
  async tell(serviceId: string, change: Change): Promise<Refused | undefined> {
    const { local } = this.#options;
    const service = local.services.get(serviceId);
    if (serviceId !== '' && service === undefined) {
      // Its checks go with it, in the same entry.
      const all = { service: true, checks: new Set<string>() };
      return joined(await refusalOf(all, this.#takeOut({ serviceId })));
    }
    const checks: LocalCheck[] = [];
    const gone: string[] = [];
    for (const id of change.checks) {
      const check = local.checks.get(id);
      if (check?.definition.ServiceID === serviceId) checks.push(check);
      else if (check === undefined) gone.push(id);
    }
    const refused: Refused[] = [];
    for (const [token, part] of this.#byToken(checks, service)) {
      refused.push(...(await this.#register(part.service, part.checks, token)));
    }
    for (const checkId of gone) {
      const one = { service: false, checks: new Set([checkId]) };
      refused.push(...(await refusalOf(one, this.#takeOut({ checkId }))));
    }
    return joined(refused);
  }

  /** Checks as they are now, of any services: a command for each token. Rejects where one fails. */
  async tellChecks(all: readonly LocalCheck[]): Promise<void> {
    const { catalog, self } = this.#options;
    for (const [token, { checks }] of this.#byToken(all)) {
      const definitions = checks.map(({ definition }) => definition);
      const skipNodeUpdate = this.#keepsNode(token);
      await catalog.register({ node: self.node(), skipNodeUpdate, checks: definitions }, token);
    }
  }

  /** Each is registered under its own token; the service comes first, for checks need it. */
  #byToken(checks: readonly LocalCheck[], service?: LocalService): Map<string, Part> {
    const { user } = this.#options.self.tokens;
    const parts = new Map<string, Part>();
    if (service !== undefined) {
      parts.set(service.token || user, { service: service.definition, checks: [] });
    }
    for (const check of checks) {
      const token = check.token || user;
      const part = parts.get(token) ?? { checks: [] };
      parts.set(token, { ...part, checks: [...part.checks, check] });
    }
    return parts;
  }

  /** Only the agent's own token says anything of the node: another need not be allowed to. */
  #keepsNode(token: string): boolean {
    return this.#nodeKnown || token !== this.#options.self.tokens.agent;
  }

  /** A deregistration names no machine: where the name is another's, that is found out before. */
  async #deregister(what: Deregistration): Promise<void> {
    const { catalog, self } = this.#options;
    if (!this.#nodeKnown) await this.registerSelf();
    // Another machine may have taken the name since: what it has registered is not ours to take out.
    const ours = { ...what, nodeId: self.node().ID };
    // Whoever may write a node may take out what is on it, also after its own token is gone.
    await catalog.deregister(ours, self.tokens.agent);
  }

  /** So that others' tokens need not name it. Where that is refused it may be there all the same. */
  async #introduceNode(): Promise<void> {
    try {
      await this.registerSelf();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  /** Together; where that is refused each part for itself, so that none holds up another. */
  async #register(
    service: ServiceDefinition | undefined,
    checks: readonly LocalCheck[],
    token: string,
  ): Promise<Refused[]> {
    const parts = checks.length + (service === undefined ? 0 : 1);
    if (parts === 0) return [];
    const { catalog, self } = this.#options;
    const skipNodeUpdate = this.#keepsNode(token);
    if (!this.#nodeKnown && skipNodeUpdate) await this.#introduceNode();
    const registration = {
      node: self.node(),
      skipNodeUpdate,
      ...(service !== undefined && { service }),
      checks: checks.map(({ definition }) => definition),
    };
    const all = {
      service: service !== undefined,
      checks: new Set(checks.map(({ definition }) => definition.CheckID)),
    };
    const refused = await refusalOf(all, catalog.register(registration, token));
    if (refused.length === 0 && !skipNodeUpdate) this.#nodeKnown = true;
    if (refused.length === 0 || parts === 1) return refused;
    const apart = service === undefined ? [] : await this.#register(service, [], token);
    for (const check of checks) apart.push(...(await this.#register(undefined, [check], token)));
    return apart;
  }
}

interface Part {
  readonly service?: ServiceDefinition;
  readonly checks: readonly LocalCheck[];
}

async function refusalOf(change: Change, done: Promise<void>): Promise<Refused[]> {
  try {
    await done;
    return [];
  } catch (error) {
    if (isRefusal(error)) return [{ change, error }];
    throw error;
  }
}

function joined(refused: readonly Refused[]): Refused | undefined {
  const [first] = refused;
  if (first === undefined) return undefined;
  const change = {
    service: refused.some((each) => each.change.service),
    checks: new Set(refused.flatMap((each) => [...each.change.checks])),
  };
  return { change, error: first.error };
}
