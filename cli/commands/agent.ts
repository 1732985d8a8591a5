/** `proconsul agent`: runs an agent, and with -server or -dev a registry server in one process. */

import { rmSync, writeFileSync } from 'node:fs';
import type { Environment } from '../../lib/child.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { waitingForStart } from '../../lib/config/settle.ts';
import { CONFIG_KEYS } from '../../lib/config/table.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { LoggerFile } from '../../lib/log-file.ts';
import { createLogger, LEVELS, type Logger } from '../../lib/logger.ts';
import { Syslog } from '../../lib/syslog.ts';
import { tellingSystemd } from '../../lib/systemd.ts';
import { VERSION } from '../../lib/version.ts';
import { AGENT_MANUAL, AGENT_SUMMARY } from '../agent-manual.ts';
import { configHost } from '../process/config-host.ts';
import { Life } from '../process/life.ts';
import type { Running, RunOptions } from '../process/run-server.ts';
import { firstSteps, type Self, startBlock } from '../process/start-block.ts';
import { explainStart } from '../process/start-up.ts';
import { usageOf } from '../usage.ts';

/** A disk that stands still does not keep the process. */
const FLUSH_MS = 500;
/** The answer to a request to leave goes out before the process ends. */
const LEAVE_GRACE_MS = 100;

export interface AgentEnvironment {
  readonly redisUrl: string | undefined;
  readonly dockerHost: string | undefined;
  readonly env: Environment;
  /** Variables that are set for the entry point of Consul's image, which is not here. */
  readonly idleVariables: readonly string[];
  readonly print: (text: string) => void;
  readonly exit: (code: number) => void;
  readonly onSignal: (signal: NodeJS.Signals, act: () => void) => void;
}

export async function agentCommand(
  argv: readonly string[],
  environment: AgentEnvironment,
): Promise<void> {
  if (argv.some((word) => /^--?(h|help)$/.test(word))) {
    environment.print(usageOf('agent', AGENT_SUMMARY, AGENT_MANUAL));
    environment.exit(0);
    return;
  }
  const loaded = load(argv, environment);
  if (loaded === undefined) return;
  const { config, warnings } = loaded;
  const streams = await openStreams(config, environment);
  if (streams === 'not all can be opened') return;
  const env = { ...environment, exit: exitOnceWritten(streams, environment.exit) };
  const logger = createLogger({ level: config.log.level, json: config.log.json, ...streams });
  tellOfSyslog(streams.syslog, logger);
  // Before anybody can know that it starts, and send a signal.
  const life = new Life({ ...env, config, logger, tell: tellingSystemd(env.env, logger) });
  life.listen();
  // Who reads JSON reads nothing else.
  const say = config.log.json ? () => undefined : env.print;
  say('==> Starting Proconsul agent...\n');
  for (const warning of warnings) logger.warn(`agent: ${warning}`);
  for (const name of env.idleVariables) {
    logger.warn(`agent: ${name} is of Consul's image and has no effect here: use flags or files`);
  }
  const onFatal = (error: unknown) => life.fail(error);
  // Read anew for a reload: how much is logged is the process's own, the rest is the agent's.
  const readConfig = () => {
    const now = read(argv, env);
    logger.level = LEVELS[now.config.log.level] ?? logger.level;
    for (const warning of now.warnings) logger.warn(`agent: ${warning}`);
    const waiting = waitingForStart(loaded.settled, now.settled, CONFIG_KEYS);
    if (waiting.length > 0) {
      logger.warn(`agent: changed, and taken over by the next start alone: ${waiting.join(', ')}`);
    }
    return now.config;
  };
  const onLeft = () => void setTimeout(() => life.end('the request to leave'), LEAVE_GRACE_MS);
  try {
    const { dockerHost } = env;
    const introduce = (self: Self) => {
      say(startBlock(config, self));
      logger.info('agent: starts', { version: VERSION, node: config.nodeName, id: self.nodeId });
    };
    const own = { readConfig, dockerHost, env: env.env };
    // What is gone with the process, as with -dev, is not for thousands of writes.
    const warmsUp = !config.devMode;
    const options = { config, logger, introduce, ...own, onFatal, onLeft, warmsUp };
    const running = await run(options);
    writePid(config.pidFile);
    await life.began(running);
    say(`==> Proconsul agent running!\n${firstSteps(config)}`);
  } catch (error) {
    onFatal(explainStart(error, config));
  }
}

/** Where the log goes beside the console. */
interface Streams {
  readonly stream: LoggerFile | undefined;
  readonly syslog: Syslog | undefined;
}

async function openStreams({ log }: Config, env: AgentEnvironment) {
  try {
    const stream = await openLogFile(log);
    const syslog = log.syslog.enabled
      ? await Syslog.open({ ...log.syslog, clock: systemClock })
      : undefined;
    return { stream, syslog };
  } catch (error) {
    env.print(`==> ${describeChain(error)}\n`);
    env.exit(1);
    return 'not all can be opened';
  }
}

async function openLogFile(log: Config['log']): Promise<LoggerFile | undefined> {
  if (log.file === '') return undefined;
  return await LoggerFile.open({
    path: log.file,
    maxBytes: log.rotateBytes,
    maxAgeMs: log.rotateDurationMs,
    maxFiles: log.rotateMaxFiles,
    clock: systemClock,
  });
}

function tellOfSyslog(syslog: Syslog | undefined, logger: Logger): void {
  if (syslog === undefined) return;
  syslog.onLost = (why) => logger.error(`agent: no lines to syslog, until it is back: ${why}`);
  syslog.onBack = () => logger.info('agent: lines go to syslog again');
}

/** The last lines of a log are those that somebody will look for. */
function exitOnceWritten({ stream, syslog }: Streams, exit: (code: number) => void) {
  const open = [stream, syslog].filter((each) => each !== undefined);
  if (open.length === 0) return exit;
  return (code: number) => {
    setTimeout(() => exit(code), FLUSH_MS);
    const ended = open.map((each) => new Promise<void>((resolve) => void each.end(resolve)));
    void Promise.all(ended).then(() => exit(code));
  };
}

/** For whoever wants to send signals; it goes with the process. */
function writePid(file: string): void {
  if (file === '') return;
  try {
    writeFileSync(file, `${process.pid}`);
  } catch (cause) {
    throw new ProconsulError('invalid', `pid_file ${file} cannot be written`, { cause });
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

/** Each role loads what it needs and no more. */
async function run(options: RunOptions): Promise<Running> {
  if (!options.config.server) return (await import('../process/run-client.ts')).runClient(options);
  return (await import('../process/run-server.ts')).runServer(options);
}

function read(argv: readonly string[], env: AgentEnvironment) {
  return loadConfig({ argv, host: configHost, redisUrl: env.redisUrl });
}

function load(argv: readonly string[], env: AgentEnvironment) {
  try {
    return read(argv, env);
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    env.print(`==> ${error.message}\n`);
    env.exit(1);
    return undefined;
  }
}
