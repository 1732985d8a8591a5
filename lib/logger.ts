import type { Writable } from 'node:stream';
import winston from 'winston';

/** One line an event; never a secret, never a query string. */
export interface Logger {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** Says nothing. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

/** Consul's names of levels, and winston's. */
export const LEVELS: Readonly<Record<string, string>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  err: 'error',
  error: 'error',
};

export interface LoggerOptions {
  /** Consul's names: trace, debug, info, warn, err. */
  readonly level: string;
  readonly json: boolean;
  /** Where lines go beside the console. */
  readonly stream?: Writable | undefined;
}

export function isLogLevel(level: string): boolean {
  return Object.hasOwn(LEVELS, level.toLowerCase());
}

/** As Consul writes JSON: what speaks stands before the first colon of a line. */
export const jsonLine = winston.format.printf(({ level, message, timestamp }) => {
  const [, module = 'agent', text = message] = /^([\w.-]+): (.*)$/s.exec(String(message)) ?? [];
  return JSON.stringify({
    '@level': level,
    '@message': text,
    '@module': module,
    '@timestamp': timestamp,
  });
});

export const textLine = winston.format.printf(
  (info) => `${info['timestamp']} ${`[${info.level.toUpperCase()}]`.padEnd(7)} ${info.message}`,
);

/** Lines look as Consul's do: '2026-01-02T03:04:05.678Z [INFO]  agent: Synced node info'. */
export function createLogger({ level, json, stream }: LoggerOptions): winston.Logger {
  const { combine, timestamp } = winston.format;
  const transports: winston.transport[] = [
    new winston.transports.Console({ stderrLevels: [], forceConsole: false }),
  ];
  if (stream !== undefined) transports.push(new winston.transports.Stream({ stream }));
  return winston.createLogger({
    level: LEVELS[level.toLowerCase()] ?? 'info',
    format: combine(timestamp(), json ? jsonLine : textLine),
    transports,
  });
}
