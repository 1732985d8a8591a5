import { Writable } from 'node:stream';
import winston from 'winston';
import { jsonLine, LEVELS, textLine } from './logger.ts';

/**
 * Calls `listen` with each line that is logged from now on at this level (Consul's names) or a
 * graver one, whatever the logger's own level is. Returns what ends it.
 */
export function tapLog(
  logger: winston.Logger,
  { level, json }: { readonly level: string; readonly json: boolean },
  listen: (line: string) => void,
): () => void {
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      listen(line.toString().trimEnd());
      done();
    },
  });
  // How many listen is bounded where they come from: Node would warn of a leak at the eleventh.
  logger.setMaxListeners(0);
  const own = LEVELS[level.toLowerCase()] ?? 'info';
  const transport = new winston.transports.Stream({
    stream,
    level: own,
    format: json ? jsonLine : textLine,
  });
  logger.add(transport);
  return () => void logger.remove(transport);
}
