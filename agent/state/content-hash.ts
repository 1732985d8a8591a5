/**
 * The hash by which a client waits for a change of one local service (`?hash=`). It is Consul's
 * own, number for number, so that a watch begun against Consul goes on here: FNV-1 of 64 bits over
 * the fields of its Go struct, fields and maps XORed, lists chained.
 */
import { laterFields } from '../../lib/later-fields.ts';
import { LATER_PROXY_FIELDS } from '../../lib/proxy-schema.ts';
import type { AgentService } from './views.ts';

const FNV_PRIME = 0x100000001b3n;
const FNV_OFFSET = 0xcbf29ce484222325n;

function fnv(bytes: Uint8Array): bigint {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = BigInt.asUintN(64, hash * FNV_PRIME) ^ BigInt(byte);
  return hash;
}

const ofString = (text: string): bigint => fnv(Buffer.from(text));
const ofNumber = (number: number): bigint => fnv(littleEndian(BigInt.asUintN(64, BigInt(number))));
const ofBoolean = (value: boolean): bigint => fnv(Uint8Array.of(value ? 1 : 0));
/** Go's nil pointers count as the number 0. */
const ofNil = ofNumber(0);

function littleEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function chain(a: bigint, b: bigint): bigint {
  return fnv(Buffer.concat([littleEndian(a), littleEndian(b)]));
}

function ofList<T>(list: readonly T[], hash: (item: T) => bigint): bigint {
  return list.reduce((sum, item) => chain(sum, hash(item)), 0n);
}

function ofMap<T>(map: Readonly<Record<string, T>>, hash: (value: T) => bigint): bigint {
  return Object.entries(map).reduce((sum, [k, v]) => sum ^ chain(ofString(k), hash(v)), 0n);
}

function ofStruct(name: string, fields: Readonly<Record<string, bigint>>): bigint {
  return Object.entries(fields).reduce(
    (sum, [k, v]) => sum ^ chain(ofString(k), v),
    ofString(name),
  );
}

/** As 64 bits in hexadecimal digits, without leading zeros. */
export function contentHash(service: AgentService): string {
  const { Weights, Connect, Proxy: proxy } = service;
  const hash = ofStruct('AgentService', {
    Kind: ofString(service.Kind ?? ''),
    ID: ofString(service.ID),
    Service: ofString(service.Service),
    Tags: ofList(service.Tags, ofString),
    Meta: ofMap(service.Meta, ofString),
    Port: ofNumber(service.Port),
    Address: ofString(service.Address),
    TaggedAddresses: ofMap(service.TaggedAddresses ?? {}, ({ Address, Port }) =>
      ofStruct('ServiceAddress', { Address: ofString(Address), Port: ofNumber(Port) }),
    ),
    Weights: ofStruct('AgentWeights', {
      Passing: ofNumber(Weights.Passing),
      Warning: ofNumber(Weights.Warning),
    }),
    EnableTagOverride: ofBoolean(service.EnableTagOverride),
    CreateIndex: ofNumber(0),
    ModifyIndex: ofNumber(0),
    ContentHash: ofString(''),
    Proxy: proxy === undefined ? ofNil : ofProxy(proxy),
    Connect: Connect === undefined ? ofNil : ofConnect(Connect),
    ...ofLater(service),
  });
  return hash.toString(16);
}

/** What 1.8.7's struct has not, where something is said of it: a change of it is one as well. */
function ofLater(service: AgentService): Readonly<Record<string, bigint>> {
  const said = Object.entries(laterFields(service));
  return Object.fromEntries(said.map(([name, value]) => [name, ofAny(value)]));
}

type Fields = Readonly<Record<string, unknown>>;

const text = (value: unknown): bigint => ofString(typeof value === 'string' ? value : '');
const number = (value: unknown): bigint => ofNumber(typeof value === 'number' ? value : 0);
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value : []);
const fields = (value: unknown): Fields => (value ?? {}) as Fields;

function ofConnect(connect: Fields): bigint {
  return ofStruct('AgentServiceConnect', {
    Native: ofBoolean(connect['Native'] === true),
    SidecarService: ofNil,
  });
}

function ofProxy(proxy: Fields): bigint {
  return ofStruct('AgentServiceConnectProxyConfig', {
    DestinationServiceName: text(proxy['DestinationServiceName']),
    DestinationServiceID: text(proxy['DestinationServiceID']),
    LocalServiceAddress: text(proxy['LocalServiceAddress']),
    LocalServicePort: number(proxy['LocalServicePort']),
    Config: ofMap(fields(proxy['Config']), ofAny),
    Upstreams: ofList(list(proxy['Upstreams']), ofUpstream),
    MeshGateway: ofMeshGateway(proxy['MeshGateway']),
    Expose: ofExpose(fields(proxy['Expose'])),
    ...ofLaterProxy(proxy),
  });
}

/** Likewise. */
function ofLaterProxy(proxy: Fields): Readonly<Record<string, bigint>> {
  const said = LATER_PROXY_FIELDS.filter((name) => proxy[name] !== undefined);
  return Object.fromEntries(said.map((name) => [name, ofAny(proxy[name])]));
}

function ofUpstream(upstream: Fields): bigint {
  return ofStruct('Upstream', {
    DestinationType: text(upstream['DestinationType']),
    DestinationNamespace: text(upstream['DestinationNamespace']),
    DestinationName: text(upstream['DestinationName']),
    Datacenter: text(upstream['Datacenter']),
    LocalBindAddress: text(upstream['LocalBindAddress']),
    LocalBindPort: number(upstream['LocalBindPort']),
    Config: ofMap(fields(upstream['Config']), ofAny),
    MeshGateway: ofMeshGateway(upstream['MeshGateway']),
  });
}

function ofMeshGateway(value: unknown): bigint {
  return ofStruct('MeshGatewayConfig', { Mode: text(fields(value)['Mode']) });
}

function ofExpose(expose: Fields): bigint {
  return ofStruct('ExposeConfig', {
    Checks: ofBoolean(expose['Checks'] === true),
    Paths: ofList(list(expose['Paths']), (path) =>
      ofStruct('ExposePath', {
        ListenerPort: number(path['ListenerPort']),
        Path: text(path['Path']),
        LocalPathPort: number(path['LocalPathPort']),
        Protocol: text(path['Protocol']),
        ParsedFromCheck: ofBoolean(false),
      }),
    ),
  });
}

/** What came as free JSON: Go reads its numbers as float64. */
function ofAny(value: unknown): bigint {
  if (typeof value === 'string') return ofString(value);
  if (typeof value === 'boolean') return ofBoolean(value);
  if (typeof value === 'number' || typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(Number(value));
    return fnv(bytes);
  }
  if (Array.isArray(value)) return ofList(value, ofAny);
  return value === null || value === undefined ? ofNil : ofMap(fields(value), ofAny);
}
