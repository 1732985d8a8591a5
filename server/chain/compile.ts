/**
 * Compiles a discovery chain: a pure function of the entries that it reads. Each service is looked at
 * once, and what a chain may come to is bounded, so that no set of entries makes it go on for long.
 */
import { createHash } from 'node:crypto';
import { rejected } from '../../lib/config-entries/kind.ts';
import {
  SERVICE_ROUTER,
  type ServiceRoute,
} from '../../lib/config-entries/kinds/service-router.ts';
import {
  inParts,
  SERVICE_SPLITTER,
  type ServiceSplitter,
  type Split,
  weightOf,
} from '../../lib/config-entries/kinds/service-splitter.ts';
import type { HeaderChanges } from '../../lib/config-entries/proxying.ts';
import { quote } from '../../lib/go-literals.ts';
import { byName } from '../../lib/key-order.ts';
import type { Chain, ChainEntries, ChainNode, ChainRequest, RouterNode, SplitTo } from './chain.ts';
import { isHttpLike, Protocols } from './protocols.ts';
import { type KnownPlaces, Resolvers } from './resolvers.ts';

/** Of all that a chain's splitters come to: Consul has no bound, and each level and each route multiplies. */
const MAX_SPLITS = 10_000;
/** Of splitters within one another. */
const MAX_DEPTH = 100;
const NAMESPACE = 'default';

/** Throws ProconsulError 'rejected' where the entries cannot be a chain. */
export function compileChain(entries: ChainEntries, request: ChainRequest): Chain {
  return new Compiler(entries, request).compile();
}

/**
 * What the chain speaks. Throws as `compileChain` does, and costs less where several chains are looked at:
 * `known` is theirs alone, and of one moment.
 */
export function protocolOfChain(
  entries: ChainEntries,
  request: ChainRequest,
  known: KnownPlaces,
): string {
  return new Compiler(entries, request, known).protocol();
}

/** Where a split of a splitter goes, in hundredths of a percent. */
interface Part {
  readonly parts: number;
  readonly next: string;
  readonly split: Split;
}

/** Of splitters that lead to one: what all of them do to headers, and which part of all comes here. */
interface Above {
  readonly parts: number;
  readonly split: Split;
}

class Compiler {
  readonly #entries: ChainEntries;
  readonly #request: ChainRequest;
  readonly #protocols: Protocols;
  readonly #resolvers: Resolvers;
  readonly #splitters = new Map<string, readonly Part[]>();
  /** Those of which it is known that they do not lead back to themselves. */
  readonly #straight = new Set<string>();
  #router: RouterNode | undefined;
  #splits = 0;

  constructor(entries: ChainEntries, request: ChainRequest, known?: KnownPlaces) {
    const { service, overrides } = request;
    this.#entries = entries;
    this.#request = request;
    this.#protocols = new Protocols(entries, service, overrides.protocol);
    this.#resolvers = new Resolvers(entries, request, this.#protocols, known);
  }

  protocol(): string {
    this.#parts();
    return this.#protocols.protocol;
  }

  compile(): Chain {
    const { start, nodes } = this.#parts();
    const { service, datacenter } = this.#request;
    const hash = this.#customizationHash();
    return {
      ServiceName: service,
      Namespace: NAMESPACE,
      Datacenter: datacenter,
      ...(hash !== undefined && { CustomizationHash: hash }),
      Protocol: this.#protocols.protocol,
      StartNode: start,
      Nodes: byName(nodes),
      Targets: byName(this.#resolvers.targets),
    };
  }

  #parts() {
    const start = this.#start();
    const nodes = this.#nodes(start);
    if (!start.startsWith('resolver:')) this.#protocols.refuseRouting();
    return { start, nodes };
  }

  #start(): string {
    const { service, overrides } = this.#request;
    // Whoever overrides it with one that has nothing to route by gets what it ends in.
    if (overrides.protocol !== '' && !isHttpLike(overrides.protocol)) {
      return this.#resolvers.resolve(service, '');
    }
    const router = this.#entries.entryOf(SERVICE_ROUTER, service);
    return router === undefined
      ? this.#splitterOrResolver(service)
      : this.#route(service, router.Routes ?? []);
  }

  #route(service: string, routes: readonly ServiceRoute[]): string {
    this.#protocols.take(service);
    const Name = `${service}.${NAMESPACE}`;
    const everything: ServiceRoute = {
      Match: { HTTP: { PathPrefix: '/' } },
      Destination: { Service: service, Namespace: NAMESPACE },
    };
    const Routes = [...routes, everything].map((Definition) => {
      const { Service = service, ServiceSubset = '' } = Definition.Destination ?? {};
      const NextNode =
        ServiceSubset === ''
          ? this.#splitterOrResolver(Service)
          : this.#resolvers.resolve(Service, ServiceSubset);
      return { Definition, NextNode };
    });
    this.#router = { Type: 'router', Name, Routes };
    return `router:${Name}`;
  }

  #splitterOrResolver(service: string, depth = 0): string {
    const splitter = this.#entries.entryOf(SERVICE_SPLITTER, service);
    return splitter === undefined
      ? this.#resolvers.resolve(service, '')
      : this.#split(splitter.Splits ?? [], service, depth);
  }

  #split(splits: NonNullable<ServiceSplitter['Splits']>, service: string, depth: number): string {
    if (depth > MAX_DEPTH) throw this.#tooLarge(`splitters ${MAX_DEPTH} deep`);
    const key = `splitter:${service}.${NAMESPACE}`;
    if (this.#splitters.has(key)) return key;
    // Before its parts, which may lead back to it.
    const parts: Part[] = [];
    this.#splitters.set(key, parts);
    for (const split of splits) {
      const { Service: to = service, ServiceSubset = '' } = split;
      const leads = ServiceSubset === '' && to !== service;
      const next = leads
        ? this.#splitterOrResolver(to, depth + 1)
        : this.#resolvers.resolve(to, ServiceSubset);
      parts.push({ parts: inParts(split), next, split });
    }
    return key;
  }

  /** Only those that the chain leads to, with splitters within splitters made one. */
  #nodes(start: string): Map<string, ChainNode> {
    const nodes = new Map<string, ChainNode>(this.#resolvers.nodes);
    const tops = new Set([start]);
    if (this.#router !== undefined) {
      nodes.set(start, this.#router);
      for (const { NextNode } of this.#router.Routes) tops.add(NextNode);
    }
    for (const key of tops) {
      if (!this.#splitters.has(key)) continue;
      this.#refuseCircle(key, []);
      const Splits: SplitTo[] = [];
      this.#flatten(key, undefined, Splits);
      nodes.set(key, { Type: 'splitter', Name: key.slice('splitter:'.length), Splits });
    }
    return nodes;
  }

  #refuseCircle(key: string, trail: readonly string[]): void {
    const at = trail.indexOf(key);
    if (at >= 0) {
      const circle = [...trail.slice(at), key].join(' -> ');
      throw rejected(`detected circular reference: [${circle}]`);
    }
    if (this.#straight.has(key)) return;
    const below = [...trail, key];
    for (const { next } of this.#splitters.get(key) ?? []) {
      if (this.#splitters.has(next)) this.#refuseCircle(next, below);
    }
    this.#straight.add(key);
  }

  /** `above`: undefined where all comes here. */
  #flatten(key: string, above: Above | undefined, into: SplitTo[]): void {
    for (const { parts, next, split: own } of this.#splitters.get(key) ?? []) {
      const scaled = above === undefined ? parts : Math.round((parts * above.parts) / 10_000);
      const split = above === undefined ? own : withHeadersOf(above.split, own);
      if (this.#splitters.has(next)) {
        this.#flatten(next, { parts: scaled, split }, into);
        continue;
      }
      if (++this.#splits > MAX_SPLITS) throw this.#tooLarge(`more than ${MAX_SPLITS} splits`);
      into.push({
        ...((split.RequestHeaders ?? split.ResponseHeaders) && { Definition: split }),
        ...(scaled !== 0 && { Weight: weightOf(scaled) }),
        NextNode: next,
      });
    }
  }

  #tooLarge(what: string) {
    return rejected(`discovery chain ${quote(this.#request.service)} has ${what}`);
  }

  /** Undefined where it is what anybody gets who overrides nothing. */
  #customizationHash(): string | undefined {
    const { overrides } = this.#request;
    const { heeded } = this.#resolvers;
    const { protocol } = overrides;
    if (protocol !== '' && protocol !== this.#protocols.ofEntries) heeded.add('protocol');
    if (heeded.size === 0) return undefined;
    const own = Object.entries(overrides).filter(([name]) => heeded.has(name));
    return createHash('sha256').update(JSON.stringify(own)).digest('hex').slice(0, 8);
  }
}

/** What the nearer one says of a header counts. */
function withHeadersOf(above: Split, split: Split): Split {
  const request = changesOf(above.RequestHeaders, split.RequestHeaders);
  const response = changesOf(above.ResponseHeaders, split.ResponseHeaders);
  return {
    ...split,
    ...(request && { RequestHeaders: request }),
    ...(response && { ResponseHeaders: response }),
  };
}

function changesOf(above: HeaderChanges | undefined, own: HeaderChanges | undefined) {
  if (above === undefined || own === undefined) return own ?? above;
  const Remove = [...new Set([...(above.Remove ?? []), ...(own.Remove ?? [])])];
  return {
    ...((above.Add ?? own.Add) && { Add: { ...above.Add, ...own.Add } }),
    ...((above.Set ?? own.Set) && { Set: { ...above.Set, ...own.Set } }),
    ...(Remove.length > 0 && { Remove }),
  };
}
