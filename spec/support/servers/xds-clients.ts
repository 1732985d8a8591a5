/** A port for xDS in this process, over an agent whose answers are said by hand, and clients of it. */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';
import type { AccessControl } from '../../../lib/acl/rights.ts';
import { OPEN } from '../../../lib/acl/rights.ts';
import { type Kind, TYPE_URLS } from '../../../xds/resource.ts';
import PROTOS from '../../../xds/serving/protos.json' with { type: 'json' };
import { Serving } from '../../../xds/serving/serve.ts';
import { Xds, type XdsOptions } from '../../../xds/xds.ts';
import { FakeAgentAnswers } from '../fakes/fake-agent-answers.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { until } from '../until.ts';

type Method = MethodDefinition<object, object>;

/** Each `Any` is read by its own type: one that was written as nothing shows nothing. */
const PACKAGE = fromJSON(PROTOS as object, {
  ...{ keepCase: true, longs: String, enums: String, defaults: true, arrays: true, json: true },
});

/** The machine may be busy. */
const PATIENCE_MS = 30_000;

const DISCOVERY = 'envoy.service';
export const ADS = `${DISCOVERY}.discovery.v3.AggregatedDiscoveryService`;
export const EDS = `${DISCOVERY}.endpoint.v3.EndpointDiscoveryService`;
export const HEALTH = 'grpc.health.v1.Health';

const ends: (() => Promise<void> | void)[] = [];

export async function stopXds(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

if (typeof afterEach === 'function') afterEach(stopXds);

export interface TestXds {
  readonly xds: Xds;
  readonly port: number;
  readonly agent: FakeAgentAnswers;
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly state: { isReady: boolean };
}

export async function startXds({
  clock = new FakeClock(),
  ...more
}: Partial<XdsOptions> & {
  readonly access?: AccessControl;
  readonly clock?: FakeClock;
} = {}): Promise<TestXds> {
  const agent = new FakeAgentAnswers();
  const logger = new RecordingLogger();
  const state = { isReady: true };
  const xds = new Xds({
    ask: agent.ask,
    access: OPEN,
    place: { datacenter: 'dc1', domain: 'consul.', callsByDefault: true },
    isReady: () => state.isReady,
    caughtUp: async () => true,
    system: { clock, logger, random: seededRandom(1) },
    listens: [{ at: { host: '127.0.0.1', port: 0 }, door: undefined }],
    load: async (parts) => new Serving(parts),
    maxConnections: () => 0,
    ...more,
  });
  await xds.bind();
  ends.push(() => xds.stop());
  return { xds, port: xds.ports[0] ?? 0, agent, clock, logger, state };
}

/** A stream on which each request says of what kind it is. */
export function openAds({ port }: TestXds): XdsStream {
  return new XdsClient(port).stream(ADS, 'StreamAggregatedResources');
}

export interface Told {
  readonly version_info: string;
  readonly system_version_info: string;
  readonly type_url: string;
  readonly nonce: string;
  readonly resources: readonly Any[];
  readonly removed_resources: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: what a message holds is looked at by its spec.
export type Any = any;

export class XdsClient {
  readonly #client: Client;

  constructor(port: number, security = credentials.createInsecure(), options = {}) {
    this.#client = new Client(`127.0.0.1:${port}`, security, options);
    ends.push(() => this.#client.close());
  }

  stream(service: string, name: string, token = ''): XdsStream {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const metadata = new Metadata();
    if (token !== '') metadata.set('x-consul-token', token);
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Buffer) => Told,
      metadata,
    );
    const stream = new XdsStream(call);
    ends.push(() => call.cancel());
    return stream;
  }

  unary(service: string, name: string, request: object): Promise<Any> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
  }

  /** What comes of a stream that the server writes alone. */
  watch(service: string, name: string, request: object): { readonly told: Any[] } {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    );
    const told: Any[] = [];
    call.on('data', (each) => told.push(each));
    call.on('error', (error) => told.push(error));
    ends.push(() => call.cancel());
    return { told };
  }
}

function methodOf(service: string, name: string): Method {
  return (PACKAGE[service] as Readonly<Record<string, Method>>)[name] as Method;
}

type Call = ClientDuplexStream<object, Told>;

export class XdsStream {
  readonly told: Told[] = [];
  readonly #call: Call;
  /** With which it ended. */
  code: status | undefined;
  details = '';

  constructor(call: Call) {
    this.#call = call;
    call.on('data', (each: Told) => this.told.push(each));
    call.on('error', (error: ServiceError) => {
      this.code = error.code;
      this.details = error.details;
    });
    call.on('end', () => {
      this.code ??= status.OK;
    });
  }

  send(request: object): void {
    this.#call.write(request);
  }

  /** The first request says who it is, as clients do. */
  subscribe(names: readonly string[], more: object = {}, kind: Kind = 'endpoints'): void {
    const node = { id: 'client-1', cluster: 'edge' };
    this.send({ node, type_url: TYPE_URLS[kind], resource_names: names, ...more });
  }

  ack(told: Told, names: readonly string[], more: object = {}): void {
    this.send({
      ...{ type_url: told.type_url, version_info: told.version_info },
      ...{ response_nonce: told.nonce, resource_names: names, ...more },
    });
  }

  /** The next answer after so many. */
  async answer(number: number): Promise<Told> {
    await until(
      () => this.told.length > number,
      () => JSON.stringify([this.told.length, this.code, this.details]),
      PATIENCE_MS,
    );
    return this.told[number] as Told;
  }

  ofKind(kind: Kind): readonly Told[] {
    return this.told.filter(({ type_url }) => type_url === TYPE_URLS[kind]);
  }

  /** Asks for these, until all of them were told. */
  async named(kind: Kind, names: readonly string[]): Promise<readonly Any[]> {
    this.subscribe(names, {}, kind);
    const found = () => this.ofKind(kind).flatMap(({ resources }) => resources);
    const isFound = (name: string) =>
      found().some((each) => (each.cluster_name ?? each.name) === name);
    await this.#until(() => names.every(isFound));
    return found();
  }

  /** What was told of a kind at last, once `isIt`. */
  async last(kind: Kind, isIt = (_: readonly Any[]) => true): Promise<readonly Any[]> {
    const last = () => this.ofKind(kind).at(-1)?.resources;
    await this.#until(() => last() !== undefined && isIt(last() ?? []));
    return last() ?? [];
  }

  async ended(): Promise<status> {
    await until(
      () => this.code !== undefined,
      () => JSON.stringify(this.told),
    );
    return this.code as status;
  }

  close(): void {
    this.#call.end();
  }

  async #until(isReached: () => boolean): Promise<void> {
    await until(isReached, () => JSON.stringify([this.code, this.details, this.told]), PATIENCE_MS);
  }
}

/** Of an assignment: address and port of each endpoint, its state and weight. */
export function endpointsIn({ endpoints }: Any): string[] {
  return endpoints.flatMap(({ priority, locality, lb_endpoints }: Any) =>
    lb_endpoints.map(({ health_status, load_balancing_weight, endpoint }: Any) => {
      const { address, port_value } = endpoint.address.socket_address;
      const weight = load_balancing_weight?.value;
      return `${priority} ${locality.zone} ${address}:${port_value} ${health_status} ${weight}`;
    }),
  );
}
