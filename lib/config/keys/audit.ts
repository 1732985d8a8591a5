/** The audit log: who did what over HTTP (docs/security.md). */
import { ProconsulError } from '../../errors.ts';
import { decode } from '../decode.ts';
import type { Problems } from '../problems.ts';
import { atLeast, bool, choice, duration, int, type Settled, text, tree } from '../row.ts';
import { settle } from '../settle.ts';

export const AUDIT_KEYS = {
  audit: {
    enabled: bool('Write down who asks what over HTTP, and what becomes of it.'),
    sink: tree(
      'By name, where to: `type` (`file`), `format` (`json`), `delivery_guarantee` (`best-effort`), ' +
        '`path`, `mode` (0600), `rotate_bytes`, `rotate_duration`, `rotate_max_files`.',
    ),
  },
};

const SINK_KEYS = {
  type: choice('', ['file']),
  format: choice('', ['json']),
  delivery_guarantee: choice('', ['best-effort']),
  path: text(''),
  mode: text('', { default: '0600', rule: mode }),
  rotate_bytes: int('', { rule: atLeast(0) }),
  rotate_duration: duration('', { rule: atLeast(0) }),
  rotate_max_files: int('', { rule: atLeast(-1) }),
};

export interface AuditSinkConfig {
  readonly name: string;
  readonly path: string;
  readonly mode: number;
  /** 0 for no limit; where both are 0 it is one file for ever. */
  readonly rotateBytes: number;
  readonly rotateDurationMs: number;
  /** 0 for all, -1 for none. */
  readonly rotateMaxFiles: number;
}

/** None where there is no audit. */
export function auditConfig(
  { audit }: Settled<typeof AUDIT_KEYS>,
  problems: Problems,
): readonly AuditSinkConfig[] {
  const { enabled, sink } = audit;
  if (!enabled) return [];
  const sinks = Object.entries(sink).map(([name, given]) => sinkOf(name, given, problems));
  if (sinks.length === 0) problems.refuse('audit.enabled: there is no audit.sink to write to');
  return sinks;
}

function sinkOf(name: string, given: unknown, problems: Problems): AuditSinkConfig {
  const at = `audit.sink[${JSON.stringify(name)}]`;
  // Under its own path, so that what is wrong is named in full.
  const keys: { readonly [at: string]: typeof SINK_KEYS } = { [at]: SINK_KEYS };
  const sink = settle({ [at]: decoded(given, at, problems) }, keys, problems)[at];
  if (sink === undefined) throw new Error(`no value for ${at}`);
  if (sink.path === '') problems.refuse(`${at}.path must be set`);
  return {
    name,
    path: sink.path,
    mode: Number.parseInt(sink.mode, 8),
    rotateBytes: sink.rotate_bytes,
    rotateDurationMs: sink.rotate_duration,
    rotateMaxFiles: sink.rotate_max_files,
  };
}

function decoded(given: unknown, at: string, problems: Problems) {
  try {
    return decode(given, SINK_KEYS, at).value;
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    problems.refuse(error.message);
    return {};
  }
}

function mode(value: string, path: string, problems: Problems): string {
  if (/^0?[0-7]{3}$/.test(value)) return value;
  problems.refuse(`${path} cannot be ${JSON.stringify(value)}. Must be like "0600"`);
  return '0600';
}
