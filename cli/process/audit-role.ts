/** The audit log of a process, made from its configuration. */
import { AuditFile, type LineFile } from '../../lib/audit/audit-file.ts';
import { AuditLog, type AuditLogOptions } from '../../lib/audit/audit-log.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';

export interface ProcessAudit {
  /** Undefined where none is asked for. */
  readonly log: AuditLog | undefined;
  /** Once all of it is written. */
  stop(): Promise<void>;
}

/** Consul's own example of a path: what is no file cannot be opened by its name everywhere. */
const STREAMS: Readonly<Record<string, NodeJS.WriteStream>> = {
  '/dev/stdout': process.stdout,
  '/dev/stderr': process.stderr,
};

export async function openAudit(
  { audit }: Pick<Config, 'audit'>,
  logger: Logger,
  isKnownId: AuditLogOptions['isKnownId'] = () => false,
): Promise<ProcessAudit> {
  const sinks: AuditFile[] = [];
  for (const { name, path, mode, rotateBytes, rotateDurationMs, rotateMaxFiles } of audit) {
    const stream = STREAMS[path];
    const rotation = {
      maxBytes: rotateBytes,
      maxAgeMs: rotateDurationMs,
      maxFiles: rotateMaxFiles,
    };
    sinks.push(
      stream === undefined
        ? await AuditFile.open({ name, logger, path, mode, ...rotation, clock: systemClock })
        : new AuditFile(linesTo(stream), { name, logger }),
    );
  }
  const log =
    sinks.length === 0 ? undefined : new AuditLog({ sinks, clock: systemClock, isKnownId });
  return { log, stop: async () => void (await Promise.all(sinks.map((sink) => sink.stop()))) };
}

/** It is the process's, and stays open. */
function linesTo(stream: NodeJS.WriteStream): LineFile {
  return {
    append: (lines) =>
      new Promise((resolve, reject) => {
        stream.write(Buffer.concat(lines), (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => undefined,
  };
}
