/**
 * From a container to its services: names, ids, addresses, tags, metadata and checks, as the users
 * of gliderlabs/registrator know them. docs/containers.md has the table, and the differences.
 */
import type { Weights } from '../../lib/model.ts';
import {
  type Attributes,
  namedServices,
  ownLabel,
  ownSwitch,
  portAttributes,
} from './attributes.ts';
import { checkOf } from './check-attributes.ts';
import { containerAddress, type Endpoint, endpointsOf, type FindContainer } from './endpoints.ts';
import { metaOf } from './meta.ts';
import { type DockerOptions, splitTags } from './options.ts';
import type { ServiceRegistration } from './registrations.ts';
import type { Container } from './runtime.ts';

export interface Reading {
  readonly services: readonly ServiceRegistration[];
  /** What the labels ask for and cannot be had, for the log. */
  readonly problems: readonly string[];
}

const NOTHING: Reading = { services: [], problems: [] };

/** The services of a container that is up. Pure: the same container gives the same services. */
export function readServices(
  container: Container,
  options: DockerOptions,
  find: FindContainer,
): Reading {
  const enabled = ownSwitch(container, 'enable');
  if (enabled === false || (options.optIn && enabled !== true)) return NOTHING;

  const services = new LabelledServices(container, options);
  const endpoints = endpointsOf(container, options, find);
  const claimed = new Set<Endpoint>();
  for (const [key, attributes] of namedServices(container)) {
    const port = attributes.get('port');
    const protocol = attributes.get('protocol') ?? 'tcp';
    const endpoint =
      port === undefined && endpoints.length === 1
        ? endpoints[0]
        : endpoints.find((e) => e.port === port && e.protocol === protocol);
    if (endpoint !== undefined) claimed.add(endpoint);
    const inside = containerAddress(container, options, find);
    services.named(key, attributes, endpoint ?? unpublished(attributes, inside));
  }
  const isGroup = endpoints.length > 1;
  for (const endpoint of endpoints) {
    if (!claimed.has(endpoint)) services.automatic(endpoint, isGroup);
  }
  return services.reading;
}

/** A named service may be on a port that nobody published: then it is where the container is. */
function unpublished(attributes: Attributes, address: string): Endpoint | undefined {
  const port = attributes.get('port') ?? '';
  const listens = Number(port);
  if (!(Number.isInteger(listens) && listens > 0 && listens < 65536)) return undefined;
  return { port, protocol: attributes.get('protocol') ?? 'tcp', address, listens };
}

/** Consumed here; all else of the attributes becomes metadata, as in registrator. */
const CONSUMED = ['id', 'name', 'tags', 'ignore'];
const CONSUMED_OF_NAMED = [
  ...CONSUMED,
  'port',
  'protocol',
  'address',
  'weights_passing',
  'weights_warning',
  'enable_tag_override',
];

class LabelledServices {
  readonly #container: Container;
  readonly #options: DockerOptions;
  readonly #services: ServiceRegistration[] = [];
  readonly #problems: string[] = [];

  constructor(container: Container, options: DockerOptions) {
    this.#container = container;
    this.#options = options;
  }

  get reading(): Reading {
    return { services: this.#services, problems: this.#problems };
  }

  /** The service that a port is unless a label says otherwise. */
  automatic(endpoint: Endpoint, isGroup: boolean): void {
    const container = this.#container;
    const { attributes, ownName, ownId } = portAttributes(container, endpoint.port);
    if (attributes.get('ignore')) return;
    const given = attributes.get('name');
    if (!given && this.#options.explicit) return;

    const suffix = isGroup ? `-${endpoint.port}` : '';
    const id = attributes.get('id');
    this.#add(endpoint, {
      // One id for several ports would leave only one of them: the port tells them apart.
      id: id
        ? id + (ownId || !isGroup ? '' : suffix + protocolSuffix(endpoint))
        : this.#id(endpoint, endpoint.port),
      name: (given || imageName(container.image)) + (ownName ? '' : suffix),
      attributes,
      meta: without(attributes, CONSUMED),
      weights: this.#weights((key) => ownLabel(container, `weights.${key}`)),
      enableTagOverride: ownSwitch(container, 'enable_tag_override'),
    });
  }

  /** A service of `proconsul.services.<key>.*`. */
  named(key: string, attributes: Attributes, endpoint: Endpoint | undefined): void {
    if (endpoint === undefined) {
      this.#problems.push(`proconsul.services.${key} says no port that the container has`);
      return;
    }
    const address = attributes.get('address');
    this.#add(address ? { ...endpoint, address } : endpoint, {
      id: attributes.get('id') || this.#id(endpoint, `${key}:${endpoint.port}`),
      name: attributes.get('name') || key,
      attributes,
      meta: withoutPrefix(without(attributes, CONSUMED_OF_NAMED), 'meta_'),
      weights: this.#weights((name) => attributes.get(`weights_${name}`) ?? ''),
      enableTagOverride: attributes.get('enable_tag_override') === 'true' || undefined,
    });
  }

  #add(endpoint: Endpoint, described: Described): void {
    const { attributes } = described;
    const protocolTags = endpoint.protocol === 'tcp' ? [] : [endpoint.protocol];
    const tags = [
      ...splitTags(attributes.get('tags') ?? ''),
      ...this.#options.tags,
      ...protocolTags,
    ];
    const containerId = this.#container.id;
    const target = { address: endpoint.address, port: endpoint.listens, containerId };
    const { check, problems } = checkOf(attributes, target);
    const meta = metaOf(this.#container, described.meta);
    this.#problems.push(...problems, ...meta.problems);
    this.#services.push({
      ID: described.id,
      Name: described.name,
      Tags: [...new Set(tags)],
      Address: endpoint.address,
      Port: endpoint.listens,
      Meta: meta.meta,
      ...(described.weights === undefined ? {} : { Weights: described.weights }),
      ...(described.enableTagOverride === true ? { EnableTagOverride: true } : {}),
      Checks: check === undefined ? [] : [check],
    });
  }

  #id(endpoint: Endpoint, last: string): string {
    const start = `${this.#options.hostname}:${this.#container.name}`;
    return `${start}:${last}${protocolSuffix(endpoint)}`;
  }

  #weights(get: (key: 'passing' | 'warning') => string): Weights | undefined {
    const [passing, warning] = [get('passing'), get('warning')];
    if (passing === '' && warning === '') return undefined;
    return { Passing: this.#weight(passing, 1), Warning: this.#weight(warning, 0) };
  }

  #weight(text: string, min: number): number {
    const weight = Number(text || 1);
    if (Number.isInteger(weight) && weight >= min && weight <= MAX_WEIGHT) return weight;
    this.#problems.push(`weight ${JSON.stringify(text)} is not between ${min} and ${MAX_WEIGHT}`);
    return 1;
  }
}

/** A weight ends up in 16 bits of a DNS answer. */
const MAX_WEIGHT = 65535;

interface Described {
  readonly id: string;
  readonly name: string;
  readonly attributes: Attributes;
  readonly meta: Attributes;
  readonly weights: Weights | undefined;
  readonly enableTagOverride: boolean | undefined;
}

function without(attributes: Attributes, keys: readonly string[]): Attributes {
  return new Map([...attributes].filter(([key]) => !keys.includes(key)));
}

/** `meta_` may be said, so that an attribute can be called as one that means something. */
function withoutPrefix(attributes: Attributes, prefix: string): Attributes {
  const plain = (key: string) => (key.startsWith(prefix) ? key.slice(prefix.length) : key);
  return new Map([...attributes].map(([key, value]) => [plain(key), value]));
}

function protocolSuffix({ protocol }: Endpoint): string {
  return protocol === 'tcp' ? '' : `:${protocol}`;
}

/** registry:5000/team/web:1.2 and web@sha256:… are both 'web'. */
function imageName(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.split(/[:@]/)[0] ?? last;
}
