/**
 * Many clients of xDS in a process of their own, so that what they take holds up nobody who measures. It says how many
 * resources they were told of together, and when it was so: `told COUNT MS`.
 *
 *   node --import tsx xds-crowd.ts PLAN
 */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';
import { type Kind, TYPE_URLS } from '../../../xds/resource.ts';
import PROTOS from '../../../xds/serving/protos.json' with { type: 'json' };

export interface CrowdPlan {
  readonly port: number;
  readonly streams: number;
  /** As the schema has them. */
  readonly service: string;
  readonly method: string;
  /** Of each in its turn; '' for none. */
  readonly tokens: readonly string[];
  /** What one asks for: its number says which of the names. */
  readonly asks: readonly {
    readonly kind: Kind;
    readonly names: readonly string[];
    /** So many of them, from another place on in each stream; all where it is not said. */
    readonly some?: number;
  }[];
  /** By the id `proxy-N` of one that is registered. */
  readonly isRegistered?: boolean;
}

const PER_CONNECTION = 100;
const AT_ONCE = 50;
const STEP_MS = 5;

/** How many resources an answer has: of its fields, those of number 2. */
function resourcesIn(bytes: Buffer): number {
  let [at, count] = [0, 0];
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const field = varint() >>> 3;
    const length = varint();
    at += length;
    if (field === 2) count++;
  }
  return count;
}

/** So many of them, from another place on for each stream. */
export function someNames(names: readonly string[], some: number, n: number): readonly string[] {
  return Array.from({ length: some }, (_, i) => names[(n * 7 + i) % names.length] ?? '');
}

type Methods = Readonly<Record<string, MethodDefinition<object, object>>>;

/** As clients have it: a server reads less of what they say of themselves. */
const PACKAGE = fromJSON(PROTOS as object, { keepCase: true, longs: String, enums: String });

async function run(plan: CrowdPlan): Promise<void> {
  const methods = PACKAGE[plan.service] as Methods;
  const { path, requestSerialize } = methods[plan.method] as Methods[string];
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  let [told, said] = [0, -1];
  const begin = (client: Client, n: number) => {
    const same = (bytes: Buffer) => bytes;
    const metadata = new Metadata();
    const token = plan.tokens[n % plan.tokens.length] ?? '';
    if (token !== '') metadata.set('x-consul-token', token);
    const stream = client.makeBidiStreamRequest(path, same, same, metadata);
    stream.on('data', (bytes: Buffer) => {
      told += resourcesIn(bytes);
    });
    stream.on('error', (error) => say(`a stream ended: ${error.message}`));
    const node = plan.isRegistered
      ? { id: `proxy-${n}`, metadata: { fields: { namespace: { string_value: 'default' } } } }
      : { id: `n${n}` };
    for (const ask of plan.asks) {
      const { kind, names, some } = ask;
      const resource_names = some === undefined ? names : someNames(names, some, n);
      const type_url = TYPE_URLS[kind];
      stream.write(requestSerialize({ node, type_url, resource_names }));
    }
  };
  setInterval(() => {
    if (told === said) return;
    said = told;
    say(`told ${told} ${performance.timeOrigin + performance.now()}`);
  }, STEP_MS);
  let client: Client | undefined;
  for (let n = 0; n < plan.streams; n++) {
    if (n % PER_CONNECTION === 0) {
      const alone = { 'grpc.use_local_subchannel_pool': 1 };
      client = new Client(`127.0.0.1:${plan.port}`, credentials.createInsecure(), alone);
    }
    if (client !== undefined) begin(client, n);
    if (n % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

// Whoever has no plan wants its types alone.
const [plan] = process.argv.slice(2);
if (plan?.startsWith('{')) await run(JSON.parse(plan) as CrowdPlan);
