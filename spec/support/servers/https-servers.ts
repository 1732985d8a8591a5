import type { RequestListener } from 'node:http';
import type { TlsConfig } from '../../../lib/config/config.ts';
import type { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Standstill } from '../../../lib/http/standstill.ts';
import { Identities } from '../../../lib/tls/identities.ts';

const running: Listener[] = [];

afterEach(async () => {
  for (const listener of running.splice(0)) await listener.stop();
});

export interface HttpsOptions {
  readonly handshakeMs?: number;
  readonly maxConnections?: number;
  readonly fastPath?: FastPath | undefined;
  readonly standstill?: Standstill;
  /** As ports.server is: plain unless agents must show a certificate. */
  readonly forAgents?: boolean;
}

export interface HttpsServer {
  readonly port: number;
  readonly identities: Identities;
  /** Who was sent away, and why. */
  readonly refused: string[];
  /** How many requests Node's parser has seen. */
  readonly parsed: () => number;
  readonly stop: () => Promise<void>;
}

/** A listener of ours on a free port of this machine, which ends with the spec. */
export async function serveHttps(
  config: TlsConfig,
  serve: RequestListener,
  options: HttpsOptions = {},
): Promise<HttpsServer> {
  const { handshakeMs = 60_000, maxConnections = 0, fastPath, forAgents = false } = options;
  const identities = new Identities({ config, warn: () => undefined, now: Date.now });
  const refused: string[] = [];
  let parsed = 0;
  const listener = new Listener({
    listener: (message, response) => {
      parsed++;
      serve(message, response);
    },
    at: { host: '127.0.0.1', port: 0 },
    shortcut: fastPath,
    standstill: options.standstill,
    limits: { connectionsPerAddress: () => maxConnections },
    door: {
      side: () => (forAgents ? identities.agents : identities.https),
      takesPlain: () => forAgents && !identities.agentsMustShow,
      handshakeMs,
      onRefused: (address, why) => void refused.push(`${address}: ${why}`),
    },
  });
  await listener.start();
  running.push(listener);
  const { port } = listener;
  return { port, identities, refused, parsed: () => parsed, stop: () => listener.stop() };
}
