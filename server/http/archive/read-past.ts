/** What an archive remembers, in a field of its own: taken as it stands, or not at all. */
import { CONDITIONS, type Gap, type HistoryRow, type PastRow } from '../../../lib/history.ts';
import { MAX_TEXT } from '../../../lib/limits.ts';
import type { StagedRow } from '../../commands.ts';
import { refuseNul } from '../definitions.ts';
import type { Plain } from './go-values.ts';

/** In the records of nodes and instances: no Consul has one of this name. */
export const HISTORY_FIELD = 'ProconsulHistory';

/** The latest time that a Date can be. */
const MAX_TIME = 8.64e15;
const CODES = CONDITIONS.length;

/** Throws where it is not as it is written. */
export function pastsOf(fields: Plain): readonly StagedRow[] {
  const rows = fields[HISTORY_FIELD];
  return rows === undefined ? [] : list(rows).map(rowOf);
}

function rowOf(value: unknown): StagedRow {
  const { past, history } = struct(value);
  return past === undefined
    ? { history: historyOf(struct(history)) }
    : { past: pastOf(struct(past)) };
}

function historyOf({ since, gaps, forgotten, until }: Plain): HistoryRow {
  return {
    since: time(since),
    gaps: list(gaps).map((gap): Gap => [time(list(gap)[0]), time(list(gap)[1])]),
    forgotten: list(forgotten).map((each) => [text(list(each)[0]), time(list(each)[1])] as const),
    until: time(until),
  };
}

function pastOf({ node, id, service, since, life, checks, texts }: Plain): PastRow {
  const said = list(texts).map((each) => text(each).slice(0, MAX_TEXT));
  const row: PastRow = {
    node: text(node),
    id: text(id),
    service: text(service),
    ...(since !== undefined && { since: time(since) }),
    gone: true,
    life: changes(life, said),
    checks: list(checks).map((check) => [text(list(check)[0]), changes(list(check)[1], said)]),
    texts: said,
  };
  refuseNul(row.node, row.id, row.service, ...row.checks.map(([check]) => check));
  return row;
}

function changes(value: unknown, texts: readonly string[]): readonly number[] {
  const packed = list(value).map(time);
  if (packed.length === 0 || packed.length % 3 !== 0) throw unreadable();
  let t = 0;
  for (let at = 0; at < packed.length; at += 3) {
    const [ms = 0, code = 0, said = 0] = packed.slice(at, at + 3);
    t = time(t + ms);
    if (code >> 3 >= CODES || (code & 7) >= CODES || said > texts.length) throw unreadable();
  }
  return packed;
}

function time(value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TIME) {
    return Number(value);
  }
  throw unreadable();
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw unreadable();
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unreadable();
}

function struct(value: unknown): Plain {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Plain;
  throw unreadable();
}

function unreadable(): Error {
  return new Error(`a ${HISTORY_FIELD} of the state is not as it is written here`);
}
