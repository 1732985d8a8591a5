/** What clients of xDS subscribe to: one thing of one kind, by its name. */
import { createHash } from 'node:crypto';
import { wellFormed, wellFormedAll } from '../lib/well-formed.ts';
import { TAKES } from './room.ts';

export const KINDS = ['clusters', 'endpoints', 'listeners', 'routes'] as const;
/** In the order in which they are told: nothing is named before it is there. */
export type Kind = (typeof KINDS)[number];

const PREFIX = 'type.googleapis.com/envoy.config.';

export const TYPE_URLS: Readonly<Record<Kind, string>> = {
  clusters: `${PREFIX}cluster.v3.Cluster`,
  endpoints: `${PREFIX}endpoint.v3.ClusterLoadAssignment`,
  listeners: `${PREFIX}listener.v3.Listener`,
  routes: `${PREFIX}route.v3.RouteConfiguration`,
};

export function kindOf(typeUrl: string): Kind | undefined {
  return KINDS.find((kind) => TYPE_URLS[kind] === typeUrl);
}

/** Of these a client may ask for all that there are, and is told what is not there any more. */
export function isWhole(kind: Kind): boolean {
  return kind === 'clusters' || kind === 'listeners';
}

/** As the API writes it: snake_case, and `@type` in what may be of any type. */
export type Message = { readonly [field: string]: unknown };

export type Encode = (resource: Resource, form: Form) => Buffer;

/** Of the state of the world, or of what has changed in it. */
export type Form = 'whole' | 'delta';

/** That may be asked for. Names of services are shorter, with what stands before and behind them. */
export const MAX_NAME = 1024;

export class Resource {
  readonly kind: Kind;
  readonly name: string;
  readonly message: Message;
  /** Of what it says: the same from every agent and server, and after a restart. */
  readonly version: string;
  /** Of memory, about. */
  readonly bytes: number;
  /** Names of endpoints or routes that a client drops with this, and has to be told anew when it changes. */
  readonly uses: readonly string[];
  readonly #encoded: Partial<Record<Form, Buffer>> = {};
  #leads: ReadonlySet<string> | undefined;

  constructor(kind: Kind, name: string, message: Message, uses: readonly string[] = []) {
    this.kind = kind;
    this.name = wellFormed(name);
    this.message = wellFormedAll(message);
    this.uses = wellFormedAll(uses);
    const text = JSON.stringify(this.message);
    this.version = versionOf(text);
    this.bytes = TAKES.resource + TAKES.letter * text.length;
  }

  /** Names of clusters that calls go to by it. */
  get leads(): ReadonlySet<string> {
    this.#leads ??= new Set(clustersIn(this.message));
    return this.#leads;
  }

  /** Whether it was told in that form, or made ready for it. */
  isEncoded(form: Form): boolean {
    return this.#encoded[form] !== undefined;
  }

  /** As a part of an answer: written once, whoever is told. */
  encoded(form: Form, encode: Encode): Buffer {
    const encoded = this.#encoded[form] ?? encode(this, form);
    this.#encoded[form] = encoded;
    return encoded;
  }
}

function* clustersIn(value: unknown): Iterable<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [field, each] of Object.entries(value)) {
    if (field === 'cluster' && typeof each === 'string') yield each;
    else if (field === 'weighted_clusters') {
      for (const { name } of (each as { clusters: readonly { name: string }[] }).clusters)
        yield name;
    } else yield* clustersIn(each);
  }
}

/** Of several: of what they are. */
export function versionOfAll(resources: readonly Resource[]): string {
  const [only] = resources;
  if (only !== undefined && resources.length === 1) return only.version;
  return versionOf(JSON.stringify(resources.map(({ name, version }) => [name, version])));
}

/**
 * Of several that are told together by a stream, where nobody goes by it: each is random already, so that a sum of them
 * will do, which thousands of streams have worked out for each change.
 */
export function versionOfTold(resources: readonly Resource[]): string {
  const [only] = resources;
  if (only !== undefined && resources.length === 1) return only.version;
  let [one, other] = [resources.length, FNV_BASIS];
  for (const { version } of resources) {
    for (let i = 0; i < version.length; i++) {
      const code = version.charCodeAt(i);
      one = Math.imul(one ^ code, FNV_PRIME);
      other = Math.imul(other, FNV_PRIME) ^ code;
    }
  }
  return `${(one >>> 0).toString(36)}-${(other >>> 0).toString(36)}`;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function versionOf(text: string): string {
  return createHash('sha1').update(text).digest('base64url').slice(0, 16);
}
