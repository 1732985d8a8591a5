/** An agent with its server, as `agent -dev` runs them, within this process and on ports of its own. */
import { configHost } from '../../../cli/process/config-host.ts';
import { type Running, runServer } from '../../../cli/process/run-server.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { createLogger } from '../../../lib/logger.ts';
import { until } from '../until.ts';
import { freePorts } from './free-ports.ts';
import { send } from './start-server.ts';

export interface WholeAgent {
  readonly port: number;
  /** What others know it by: each port that it has with the one that it would have alone. */
  readonly ports: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** The token is one that may see the node. */
export async function startWholeAgent(flags: readonly string[], token = ''): Promise<WholeAgent> {
  const [http = 0, server = 0, serf = 0] = await freePorts(3);
  const argv = [
    ...['-dev', '-node=n1', '-bind=127.0.0.1', '-dns-port=-1', '-grpc-port=-1'],
    ...[`-http-port=${http}`, `-server-port=${server}`, `-serf-lan-port=${serf}`],
    ...flags,
  ];
  const read = () => loadConfig({ argv, host: configHost, redisUrl: undefined }).config;
  const logger = createLogger({ level: 'info', json: false });
  for (const each of logger.transports) each.silent = true;
  const running: Running = await runServer({
    config: read(),
    logger,
    readConfig: read,
    dockerHost: undefined,
    env: {},
    onFatal: (error) => {
      throw error;
    },
    introduce: () => undefined,
    onLeft: () => undefined,
  });
  await until(
    async () => {
      const headers = { 'X-Consul-Token': token };
      const { text } = await send(http, 'GET', '/v1/catalog/nodes', { headers });
      return text.includes('"n1"');
    },
    () => 'the agent does not come into the catalog',
  );
  await until(
    async () => {
      const { status, text } = await send(http, 'GET', '/v1/connect/ca/roots', {});
      return status !== 200 || text.includes('"RootCert"');
    },
    () => 'there is no root',
  );
  const ports = new Map([
    [http, 8500],
    [server, 8300],
    [serf, 8301],
  ]);
  return { port: http, ports, stop: () => running.stop() };
}
