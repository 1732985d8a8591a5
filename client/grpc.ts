/**
 * What a program imports as `proconsul/grpc`: names of services for @grpc/grpc-js, such as `consul:///web`. Its channel
 * has the instances that may be called, as soon as they change; nothing is asked again when a connection fails.
 */
import type { experimental } from '@grpc/grpc-js';
import { systemClock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { systemRandom } from '../lib/random.ts';
import { inPath } from '../lib/well-formed.ts';
import { instancesIn } from '../sidecar/endpoints.ts';
import { follow, type Loss, patient } from '../sidecar/follow.ts';
import { AgentApi, type AgentOptions } from './agent-api.ts';

export type { AgentOptions } from './agent-api.ts';

export interface GrpcOptions {
  /** The agent to ask, where a name has none: consul://10.0.0.1:8500/web is asked there. */
  readonly agent?: AgentOptions;
  /** Told of what an operator should know: the agent is away. */
  readonly onWarning?: (text: string) => void;
}

/** The program's own: what is registered with another copy of the package counts for nothing. */
export interface GrpcPackage {
  readonly experimental: Pick<
    typeof experimental,
    'registerResolver' | 'statusOrFromValue' | 'statusOrFromError'
  >;
  readonly Metadata: new () => Metadata;
}

type Metadata = NonNullable<Parameters<typeof experimental.statusOrFromError>[0]['metadata']>;
type Uri = experimental.GrpcUri;
type Listener = experimental.ResolverListener;
type ChannelOptions = Readonly<Record<string, unknown>>;

const SCHEME = 'consul';
const UNAVAILABLE = 14;
/** What may follow a name: `consul:///web?tag=v2`. */
const PARAMETERS = ['tag', 'dc', 'near'];
/** Without it a channel would call the first of them alone. */
const ROUND_ROBIN = { loadBalancingConfig: [{ round_robin: {} }], methodConfig: [] };

/** What resolvers hand over is said by these, since 1.14. */
const NEEDED = ['registerResolver', 'statusOrFromValue', 'statusOrFromError'] as const;

/**
 * To be called once, before the first channel. Throws ProconsulError 'invalid' for a package that is too old: it would
 * end the program with the first answer of the agent.
 */
export function register(grpc: GrpcPackage, options: GrpcOptions = {}): void {
  const { experimental: port } = grpc;
  const missing = NEEDED.find((name) => typeof port?.[name] !== 'function');
  if (missing !== undefined) {
    const why = `this one has no experimental.${missing}`;
    throw new ProconsulError('invalid', `proconsul/grpc needs @grpc/grpc-js 1.14 or newer: ${why}`);
  }
  port.registerResolver(
    SCHEME,
    class extends ServiceResolver {
      constructor(target: Uri, listener: Listener, channel: ChannelOptions) {
        super({ grpc, options, target, listener, channel });
      }
    },
  );
}

interface ResolverParts {
  readonly grpc: GrpcPackage;
  readonly options: GrpcOptions;
  readonly target: Uri;
  readonly listener: Listener;
  readonly channel: ChannelOptions;
}

class ServiceResolver implements experimental.Resolver {
  readonly #parts: ResolverParts;
  #ending: AbortController | undefined;
  #isKnown = false;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  static getDefaultAuthority(target: Uri): string {
    return nameIn(target).service;
  }

  /** What changes is told in any case. */
  updateResolution(): void {
    if (this.#ending !== undefined) return;
    const { target, options } = this.#parts;
    const { service, query } = nameIn(target);
    const { authority = '' } = target;
    const address = authority === '' ? options.agent?.address : `http://${authority}`;
    const api = new AgentApi({ ...options.agent, ...(address !== undefined && { address }) });
    const ending = new AbortController();
    this.#ending = ending;
    void follow(
      { ask: patient(api.ask, systemClock), clock: systemClock, random: systemRandom },
      {
        path: `/v1/health/service/${inPath(service)}`,
        query,
        take: (json) => this.#take(json),
        lost: (loss) => this.#lost(service, loss),
      },
      ending.signal,
    ).finally(() => api.close());
  }

  destroy(): void {
    this.#ending?.abort();
    this.#ending = undefined;
    this.#isKnown = false;
  }

  #take(json: unknown): void {
    const { grpc, listener, channel, target } = this.#parts;
    const { statusOrFromValue } = grpc.experimental;
    const healthy = instancesIn(json).endpoints.filter(({ health }) => health === 'healthy');
    this.#isKnown = true;
    if (healthy.length === 0) {
      this.#fail(`no instance of ${nameIn(target).service} may be called`);
      return;
    }
    const endpoints = healthy.map(({ address: host, port }) => ({ addresses: [{ host, port }] }));
    // What the program says itself of its channel stands.
    const config = channel['grpc.service_config'] === undefined ? ROUND_ROBIN : undefined;
    const said = config === undefined ? null : statusOrFromValue(config);
    listener(statusOrFromValue(endpoints), {}, said, '');
  }

  /** What was known goes on to count. */
  #lost(service: string, { what, why, isRefused, isToSay }: Loss): void {
    if (isToSay) {
      const line = `instances of ${service} stay as they are: ${why}`;
      this.#warn(isRefused ? `${what}: ${line}` : line);
    }
    if (!this.#isKnown) this.#fail(`nothing is known of ${service} yet: ${why}`);
  }

  #warn(text: string): void {
    try {
      this.#parts.options.onWarning?.(text);
    } catch {
      // What the program does with a warning is its own: its channels are told all the same.
    }
  }

  #fail(details: string): void {
    const { grpc, listener } = this.#parts;
    const metadata = new grpc.Metadata();
    const { statusOrFromError } = grpc.experimental;
    listener(statusOrFromError({ code: UNAVAILABLE, details, metadata }), {}, null, '');
  }
}

function nameIn({ path }: Uri) {
  const [name = '', parameters = ''] = path.replace(/^\//, '').split('?', 2);
  const given = new URLSearchParams(parameters);
  const query = PARAMETERS.flatMap((key) =>
    given.getAll(key).map((value) => [key, value] as const),
  );
  return { service: decodeURIComponent(name), query };
}
