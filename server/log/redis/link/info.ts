/** What INFO says that matters to the log, and which Redis may not carry it. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';

export interface RedisInfo {
  readonly runId: string;
  readonly version: string;
  readonly role: string;
  readonly loading: boolean;
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
}

export function parseInfo(text: string): RedisInfo {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const runId = fields.get('run_id');
  if (runId === undefined) {
    throw new ProconsulError('invalid', "the user of Redis may not read INFO's server section");
  }
  return {
    runId,
    // Valkey says redis_version:7.2.4 too, and supports what that one did.
    version: fields.get('redis_version') ?? '',
    role: fields.get('role') ?? '',
    loading: fields.get('loading') === '1',
    evictionPolicy: fields.get('maxmemory_policy') ?? '',
    appendOnly: fields.get('aof_enabled') === '1',
  };
}

/**
 * Throws 'invalid' where the log could not keep its promises: a Redis that evicts was seen to hand
 * out index 1 again. Warns where it may lose what a crash of the machine takes with it;
 * a logger is handed over when that is to be said.
 */
export function checkSuitable(info: RedisInfo, logger?: Logger): void {
  const [major = 0] = info.version.split('.').map(Number);
  if (major < 7) {
    throw new ProconsulError('invalid', `Redis ${info.version} is too old, 7.0 is needed`);
  }
  if (info.evictionPolicy !== 'noeviction') {
    const policy = info.evictionPolicy || 'unknown';
    throw new ProconsulError(
      'invalid',
      `Redis may evict the log (maxmemory-policy is ${policy}); set maxmemory-policy noeviction`,
    );
  }
  if (!info.appendOnly) {
    logger?.warn('redis: appendonly is off: a crash of Redis loses what no server remembers');
  }
}
