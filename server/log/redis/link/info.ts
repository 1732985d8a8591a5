/** What a Redis says of itself: what the log must know of it, and what somebody who looks after it wants to. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { RedisReplica, RedisState } from '../../../../lib/log-account.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Connection } from './connection.ts';

/** What matters to the log. */
export interface RedisInfo {
  readonly runId: string;
  readonly version: string;
  readonly role: string;
  readonly loading: boolean;
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
}

export async function readInfo(connection: Connection): Promise<RedisInfo> {
  const fields = await fieldsOf(connection);
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

/** How it is now. */
export async function readState(connection: Connection): Promise<RedisState> {
  const fields = await fieldsOf(connection);
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const writes = ['aof_last_write_status', 'rdb_last_bgsave_status'];
  return {
    upMs: number('uptime_in_seconds') * 1000,
    usedBytes: number('used_memory'),
    mostBytes: number('maxmemory'),
    isSaved: writes.every((name) => (fields.get(name) ?? 'ok') === 'ok'),
    replicas: replicasIn(fields),
  };
}

/** slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=0 */
function replicasIn(fields: ReadonlyMap<string, string>): RedisReplica[] {
  const end = Number(fields.get('master_repl_offset') ?? 0);
  const replicas = [...fields].filter(([name]) => /^slave\d+$/.test(name));
  return replicas.map(([, text]) => {
    const said = new Map(text.split(',').map((each) => each.split('=', 2) as [string, string]));
    return {
      address: `${said.get('ip')}:${said.get('port')}`,
      isOnline: said.get('state') === 'online',
      behindBytes: Math.max(0, end - Number(said.get('offset') ?? 0)),
      silentMs: Math.max(0, Number(said.get('lag') ?? 0)) * 1000,
    };
  });
}

async function fieldsOf(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  for (const line of String(await connection.call('INFO', [])).split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return fields;
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
