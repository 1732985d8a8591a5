import type { Writable } from 'node:stream';
import winston from 'winston';
import { outliveOutput } from './standard-output.ts';

/** What a line is about, by names that one can search for: 'service', 'node', 'check', 'error' … */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * One line an event: who speaks, a colon, and what there is to say, in words that are always the same;
 * what differs stands in fields. Never a secret, never a query string.
 */
export interface Logger {
  error(line: string, fields?: Fields): void;
  warn(line: string, fields?: Fields): void;
  info(line: string, fields?: Fields): void;
  debug(line: string, fields?: Fields): void;
  /** Whether anybody reads lines at debug: what costs to make is made for readers alone. */
  isDebugEnabled?(): boolean;
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
  /** Where they go with their levels, and without the time. */
  readonly syslog?: Writable | undefined;
  /** Specs keep it quiet. */
  readonly console?: boolean;
}

export function isLogLevel(level: string): boolean {
  return Object.hasOwn(LEVELS, level.toLowerCase());
}

/** As Consul writes JSON: what speaks stands before the first colon of a line. */
export const jsonLine = winston.format.printf(({ level, message, timestamp, ...fields }) => {
  const [, module = 'agent', text = message] = /^([\w.-]+): (.*)$/s.exec(String(message)) ?? [];
  return JSON.stringify({
    '@level': level,
    '@message': text,
    '@module': module,
    '@timestamp': timestamp,
    ...fields,
  });
});

export const textLine = winston.format.printf(({ level, message, timestamp, ...fields }) => {
  const head = `${timestamp} ${`[${level.toUpperCase()}]`.padEnd(7)}`;
  return `${head} ${lineOf(String(message), fields as Fields)}`;
});

/** For what has a time and a form of its own: the level, a blank, and the line. */
const gradedLine = winston.format.printf(
  ({ level, message, timestamp: _, ...fields }) =>
    `${level} ${lineOf(String(message), fields as Fields)}`,
);

/** 'agent: Synced service: service=web'. Whatever users have named, it is one line. */
export function lineOf(line: string, fields: Fields = {}): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const told = pairs.map(([name, value]) => `${name}=${quoted(String(value))}`).join(' ');
  return oneLine(told === '' ? line : `${line}: ${told}`);
}

function quoted(text: string): string {
  return text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** What ends a line, or moves a terminal's cursor, is shown as what it is. */
function oneLine(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is meant
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lines look as Consul's do: '2026-01-02T03:04:05.678Z [INFO]  agent: Synced node info'. */
export function createLogger(options: LoggerOptions): winston.Logger {
  const { level, json, stream, syslog, console = true } = options;
  const { combine, timestamp } = winston.format;
  const transports: winston.transport[] = [];
  if (console) {
    outliveOutput();
    transports.push(new winston.transports.Console({ stderrLevels: [], forceConsole: false }));
  }
  if (stream !== undefined) transports.push(new winston.transports.Stream({ stream }));
  if (syslog !== undefined) {
    transports.push(new winston.transports.Stream({ stream: syslog, format: gradedLine }));
  }
  return gated(
    winston.createLogger({
      level: LEVELS[level.toLowerCase()] ?? 'info',
      format: combine(timestamp(), json ? jsonLine : textLine),
      transports,
    }),
  );
}

const DEBUG = 'debug';
const GATED = ['warn', 'info', 'debug'] as const;

/** winston makes a line of whatever it is told before it looks whether anybody reads it. */
function gated(logger: winston.Logger): winston.Logger {
  for (const level of GATED) {
    const write = logger[level].bind(logger) as (line: string, fields?: Fields) => winston.Logger;
    const gate = (line: string, fields?: Fields) =>
      logger.isLevelEnabled(level) ? write(line, fields) : logger;
    Object.assign(logger, { [level]: gate });
  }
  return Object.assign(logger, { isDebugEnabled: readerOfDebug(logger) });
}

/** Asked for each request, where winston makes a list of its transports each time: it is asked when they change. */
function readerOfDebug(logger: winston.Logger): () => boolean {
  let asOf: string | undefined;
  let isRead = false;
  for (const name of ['add', 'remove', 'clear', 'configure'] as const) {
    const change = logger[name].bind(logger) as (...given: unknown[]) => unknown;
    const changes = (...given: unknown[]) => {
      asOf = undefined;
      return change(...given);
    };
    Object.assign(logger, { [name]: changes });
  }
  const isDebug = ({ level }: { readonly level?: string | undefined }) => level === DEBUG;
  return () => {
    if (logger.level !== asOf) {
      asOf = logger.level;
      isRead = isDebug(logger) || logger.transports.some(isDebug);
    }
    return isRead;
  };
}
