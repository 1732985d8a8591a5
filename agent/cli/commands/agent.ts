/** `proconsul agent`: runs an agent, and with -server or -dev a registry server in one process. */
import type { Config } from '../../../lib/config/config.ts';
import { systemConfigHost } from '../../../lib/config/config-host.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { describeChain, ProconsulError } from '../../../lib/errors.ts';
import { createApp } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { createLogger, type Logger } from '../../../lib/logger.ts';
import { SERF_HEALTH } from '../../../lib/model.ts';
import { systemRandom } from '../../../lib/random.ts';
import type { Server } from '../../../server/server.ts';
import { createServer } from '../server-role.ts';

/** A process that cannot end in order ends anyway. */
const STOP_TIMEOUT_MS = 4000;

export interface AgentEnvironment {
  readonly redisUrl: string | undefined;
  readonly print: (text: string) => void;
  readonly exit: (code: number) => void;
  readonly onSignal: (signal: NodeJS.Signals, act: () => void) => void;
}

export async function agentCommand(argv: readonly string[], env: AgentEnvironment): Promise<void> {
  const loaded = load(argv, env);
  if (loaded === undefined) return;
  const { config, warnings } = loaded;
  const logger = createLogger({
    level: config.log.level,
    json: config.log.json,
    ...(config.log.file === '' ? {} : { file: config.log.file }),
  });
  env.print('==> Starting Proconsul agent...\n');
  for (const warning of warnings) logger.warn(`agent: ${warning}`);
  const fatal = (error: unknown) => {
    logger.error(`agent: ends, since it cannot go on: ${describeChain(error)}`);
    env.exit(1);
  };
  try {
    const stop = await run(config, logger, fatal);
    listenToSignals(env, logger, stop);
    env.print('==> Proconsul agent running!\n');
  } catch (error) {
    fatal(error);
  }
}

function load(argv: readonly string[], env: AgentEnvironment) {
  try {
    return loadConfig({ argv, host: systemConfigHost, redisUrl: env.redisUrl });
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    env.print(`==> ${error.message}\n`);
    env.exit(1);
    return undefined;
  }
}

async function run(
  config: Config,
  logger: Logger,
  onFatal: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const nodeId = config.nodeId === '' ? systemRandom.uuid() : config.nodeId;
  const server = createServer({ config, nodeId, logger, onFatal });
  await server.start();
  await registerSelf(server, config, nodeId);
  const app = createApp({
    routes: server.routes(),
    responseHeaders: config.http.responseHeaders,
    logger,
  });
  const listeners = config.listen.http.map(
    (at) =>
      new Listener({
        listener: app,
        at,
        maxConnectionsPerAddress: config.limits.httpMaxConnsPerClient,
      }),
  );
  for (const listener of listeners) await listener.start();
  return async () => {
    const closed = Promise.all(listeners.map((listener) => listener.stop()));
    await server.stop();
    await closed;
  };
}

async function registerSelf(server: Server, config: Config, nodeId: string): Promise<void> {
  await server.propose({
    type: 'register',
    node: {
      ID: nodeId,
      Node: config.nodeName,
      Address: config.address.advertise,
      Datacenter: config.datacenter,
      TaggedAddresses: config.address.tagged,
      Meta: { 'consul-network-segment': '', ...config.nodeMeta },
    },
    skipNodeUpdate: false,
    service: {
      Kind: '',
      ID: 'consul',
      Service: 'consul',
      Tags: [],
      Address: '',
      TaggedAddresses: null,
      Meta: {
        non_voter: 'false',
        raft_version: '3',
        serf_protocol_current: '2',
        serf_protocol_max: '5',
        serf_protocol_min: '1',
        version: '1.8.7',
      },
      Port: config.ports.server,
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: {},
      Connect: {},
    },
    checks: [
      {
        CheckID: SERF_HEALTH,
        Name: 'Serf Health Status',
        Status: 'passing',
        Notes: '',
        Output: 'Agent alive and reachable',
        ServiceID: '',
        Type: '',
        Definition: {},
      },
    ],
  });
}

function listenToSignals(env: AgentEnvironment, logger: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  const end = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info(`agent: caught ${signal}, ends`);
    setTimeout(() => env.exit(1), STOP_TIMEOUT_MS).unref();
    stop().then(
      () => env.exit(0),
      (error: unknown) => {
        logger.error(`agent: did not end in order: ${describeChain(error)}`);
        env.exit(1);
      },
    );
  };
  env.onSignal('SIGTERM', () => end('SIGTERM'));
  env.onSignal('SIGINT', () => end('SIGINT'));
}
