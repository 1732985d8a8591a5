/** The messages of xDS, as protocol buffers: loaded when the first client comes. */
import { fromJSON, type MethodDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { type Form, type Kind, type Message, type Resource, TYPE_URLS } from '../resource.ts';
import { framed } from './grpc-call.ts';
import PROTOS from './protos.json' with { type: 'json' };

export type Method = MethodDefinition<object, object>;

const SERVICE = 'envoy.service';
const ADS = `${SERVICE}.discovery.v3.AggregatedDiscoveryService`;

export interface Serves {
  /** Undefined where each request says it. */
  readonly kind: Kind | undefined;
  /** The method that tells the state of the world. */
  readonly whole: string;
  /** And the one that tells what changes in it. */
  readonly delta: string;
}

/** By the names of the services. */
export const SERVICES: Readonly<Record<string, Serves>> = {
  [ADS]: { kind: undefined, whole: 'StreamAggregatedResources', delta: 'DeltaAggregatedResources' },
  ...serviceOf('Endpoint', 'endpoints'),
  ...serviceOf('Cluster', 'clusters'),
  ...serviceOf('Listener', 'listeners'),
  ...serviceOf('Route', 'routes'),
};

function serviceOf(noun: string, kind: Kind): Readonly<Record<string, Serves>> {
  const name = `${SERVICE}.${noun.toLowerCase()}.v3.${noun}DiscoveryService`;
  return { [name]: { kind, whole: `Stream${noun}s`, delta: `Delta${noun}s` } };
}

export const HEALTH = 'grpc.health.v1.Health';

const METADATA = 3;
/**
 * Of these, what requests are read for; whatever else clients say within them is skipped. Envoys list all that they have
 * been built with, and to read a megabyte of the like would take a quarter of a second.
 */
const READ: readonly (readonly [name: string, type: object])[] = [
  [
    'envoy.config.core.v3.Node',
    {
      fields: {
        id: { type: 'string', id: 1 },
        metadata: { type: 'Marks', id: METADATA },
        user_agent_name: { type: 'string', id: 6 },
      },
      // As a Struct is written: of a value, whether it is there.
      nested: { Marks: { fields: { fields: { keyType: 'string', type: 'bytes', id: 1 } } } },
    },
  ],
  ['envoy.service.discovery.v3.ResourceLocator', { fields: {} }],
  ['google.rpc.Status', { fields: { message: { type: 'string', id: 2 } } }],
];

interface Json {
  readonly nested?: Readonly<Record<string, Json>>;
}

function lean(json: Json, types: typeof READ): Json {
  return types.reduce((all, [name, type]) => withType(all, name.split('.'), type), json);
}

function withType({ nested = {}, ...own }: Json, names: readonly string[], type: Json): Json {
  const [name = '', ...rest] = names;
  const inner = rest.length === 0 ? type : withType(nested[name] ?? {}, rest, type);
  return { ...own, nested: { ...nested, [name]: inner } };
}

export class Wire {
  readonly #package: PackageDefinition;
  readonly #encodeWhole: (value: object) => Buffer;
  readonly #encodeDelta: (value: object) => Buffer;

  constructor() {
    const options = { keepCase: true, longs: String, enums: String, defaults: true, arrays: true };
    this.#package = fromJSON(lean(PROTOS as object, READ), options);
    this.#encodeWhole = this.method(ADS, 'StreamAggregatedResources').responseSerialize;
    this.#encodeDelta = this.method(ADS, 'DeltaAggregatedResources').responseSerialize;
  }

  method(service: string, name: string): Method {
    const methods = this.#package[service] as Readonly<Record<string, Method>>;
    return methods[name] as Method;
  }

  /** As the fields of an answer, which may stand in any order and one after another. */
  readonly encode = ({ kind, name, version, message }: Resource, form: Form): Buffer => {
    const resource = { '@type': TYPE_URLS[kind], ...message };
    return form === 'whole'
      ? this.#encodeWhole({ resources: [resource] })
      : this.#encodeDelta({ resources: [{ name, version, resource }] });
  };

  /** As a message of gRPC, as `delta` too. */
  whole(resources: readonly Resource[], rest: Message): Buffer {
    const parts = resources.map((each) => each.encoded('whole', this.encode));
    return framed([...parts, this.#encodeWhole(rest)]);
  }

  delta(resources: readonly Resource[], rest: Message): Buffer {
    const parts = resources.map((each) => each.encoded('delta', this.encode));
    return framed([...parts, this.#encodeDelta(rest)]);
  }
}

/** Of a request: names, and versions of names, of which there may be 10,000 each. */
const MAX_FIELDS = 32_000;
/** Envoys say all that they can do, which is some ten kilobytes. */
const MAX_FIELD_BYTES = 256 * 1024;
/** Of what a client says of itself: some hundreds of extensions. */
const MAX_SAID = 4000;
/** And of what it marks itself with: dozens are many. */
const MAX_MARKS = 1000;

/** What is asked; undefined where it cannot be read, or is far more than anybody asks: strangers may send any bytes. */
export function read(bytes: Buffer, method: Method): object | undefined {
  try {
    return isModest(bytes, method) ? method.requestDeserialize(bytes) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * By the fields of the message alone, each of which says how long it is: to read them all takes a hundred times as long.
 * What nobody says twice is not said twice: each time all that is in it would be read.
 */
function isModest(bytes: Buffer, method: Method): boolean {
  const { singular, node } = shapeOf(method);
  const left = new Set(singular);
  return skim(bytes, MAX_FIELDS, (number, skimmed) => {
    if (singular.has(number) && !left.delete(number)) return false;
    return number !== node || isModestNode(skimmed.value);
  });
}

function isModestNode(bytes: Buffer): boolean {
  let isMarked = false;
  return skim(bytes, MAX_SAID, (number, skimmed) => {
    if (number !== METADATA) return true;
    if (isMarked) return false;
    isMarked = true;
    return skim(skimmed.value, MAX_MARKS, () => true);
  });
}

/** False where it has more fields, what is none, or one that is not to be. */
function skim(
  bytes: Buffer,
  most: number,
  isFine: (number: number, skimmed: Skimmed) => boolean,
): boolean {
  const skimmed = new Skimmed(bytes);
  for (let fields = 0; !skimmed.isOver; fields++) {
    const number = skimmed.skip();
    if (number === undefined || fields >= most || !isFine(number, skimmed)) return false;
  }
  return true;
}

interface Shape {
  /** Those fields of which there is one at most, by their numbers. */
  readonly singular: ReadonlySet<number>;
  /** By which a client says who it is; undefined where none does. */
  readonly node: number | undefined;
}

const shapes = new WeakMap<Method, Shape>();

/** Of its requests. */
function shapeOf(method: Method): Shape {
  const known = shapes.get(method);
  if (known !== undefined) return known;
  const { field } = method.requestType.type as {
    readonly field: readonly Readonly<Record<'name' | 'label', string> & { number: number }>[];
  };
  const single = field.filter(({ label }) => label !== 'LABEL_REPEATED');
  const shape = {
    singular: new Set(single.map(({ number }) => number)),
    node: single.find(({ name }) => name === 'node')?.number,
  };
  shapes.set(method, shape);
  return shape;
}

const WIRE_TYPE = { number: 0, eight: 1, bytes: 2, four: 5 } as const;
/** They hold all that a tag or a length may be: of longer ones the low bits are read, and another number would be skipped. */
const MAX_TAG_BYTES = 5;
const MAX_TAG = 2 ** 32 - 1;
const MAX_NUMBER_BYTES = 10;

class Skimmed {
  readonly #bytes: Buffer;
  #at = 0;
  #from = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Of the field that was skipped last, where that is no number. */
  get value(): Buffer {
    return this.#bytes.subarray(this.#from, this.#at);
  }

  /** One field, by its number; undefined where it is none, or too long. */
  skip(): number | undefined {
    const tag = this.#number(MAX_TAG_BYTES);
    if (!(tag <= MAX_TAG)) return undefined;
    const [type, number] = [tag % 8, Math.floor(tag / 8)];
    if (type === WIRE_TYPE.number)
      return Number.isNaN(this.#number(MAX_NUMBER_BYTES)) ? undefined : number;
    const length = this.#lengthOf(type);
    if (!(length <= MAX_FIELD_BYTES)) return undefined;
    this.#from = this.#at;
    this.#at += length;
    return number;
  }

  #lengthOf(type: number): number {
    if (type === WIRE_TYPE.bytes) return this.#number(MAX_TAG_BYTES);
    if (type === WIRE_TYPE.eight) return 8;
    return type === WIRE_TYPE.four ? 4 : Number.NaN;
  }

  /** NaN where it takes more bytes than those. */
  #number(most: number): number {
    let [value, scale] = [0, 1];
    for (let taken = 0; taken < most; taken++) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    return Number.NaN;
  }
}
