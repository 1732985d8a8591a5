/** Clients of gRPC without a proxy, under load over programs that come, go, are drained and are killed. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '../../until.ts';
import { type Answered, Rounds } from '../rounds.ts';
import type { XdsPlaces } from '../xds-places.ts';

const PATIENCE_MS = 60_000;

export interface GrpcClient {
  readonly name: string;
  /** What is run, before its arguments. */
  readonly command: readonly [string, ...string[]];
  /** How its bootstrap names those that tell it. */
  readonly serverOf: (asked: XdsPlaces) => string;
  /** What it calls; `xds:///web`. Undefined where it cannot ask all of those. */
  readonly targetOf?: (asked: XdsPlaces) => string | undefined;
  /** Words behind the number of callers. */
  readonly more?: readonly string[];
}

export class GrpcRounds extends Rounds {
  readonly #client: GrpcClient;
  readonly #bootstrap: string;
  readonly #target: string;
  #end: () => Promise<void> = async () => undefined;

  constructor(agent: { readonly port: number }, client: GrpcClient, asked: XdsPlaces) {
    super({ agent, backend: './grpc/backend.mjs' });
    this.#client = client;
    this.#target = client.targetOf?.(asked) ?? 'xds:///web';
    this.#bootstrap = JSON.stringify({
      xds_servers: [
        {
          server_uri: client.serverOf(asked),
          channel_creds: [{ type: 'insecure' }],
          server_features: ['xds_v3'],
        },
      ],
      node: { id: `client-${client.name}`, locality: { region: 'dc1', zone: '' } },
    });
  }

  load(callers: number): void {
    const child = this.spawn('env', [
      `GRPC_XDS_BOOTSTRAP_CONFIG=${this.#bootstrap}`,
      ...this.#client.command,
      ...[this.#target, String(callers), ...(this.#client.more ?? [])],
    ]);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      const { at, ...told } = JSON.parse(line) as Answered;
      this.answered({ at: at - performance.timeOrigin, ...told });
    });
    this.#end = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'close');
    };
  }

  async unload(): Promise<void> {
    await this.#end();
  }

  /** Until a call comes to a program; how long that takes from the client's start. */
  async untilServed(): Promise<number> {
    const from = performance.now();
    await until(
      () => this.since(from).all.some(({ who }) => who !== ''),
      () => `nobody answers: ${this.since(from).all.at(-1)?.why}`,
      PATIENCE_MS,
    );
    return performance.now() - from;
  }
}
