/** From what files and flags say to values for every key, by the rows alone. */
import { NS_PER_MS, parseDuration } from '../duration.ts';
import type { Problems } from './problems.ts';
import {
  eachRow,
  isList,
  isRow,
  isTree,
  type Keys,
  type Row,
  type Settled,
  type Tree,
  valueAt,
} from './row.ts';

/** Every key has its value: the one given, checked by the row, or the row's default. */
export function settle<K extends Keys>(given: Tree, keys: K, problems: Problems): Settled<K> {
  return settleKeys(given, keys, '', problems) as Settled<K>;
}

function settleKeys(given: Tree, keys: Keys, under: string, problems: Problems): Tree {
  const entries = Object.entries(keys).map(([key, row]) => {
    const value = given[key];
    const path = under === '' ? key : `${under}.${key}`;
    if (isRow(row)) return [key, settleValue(value, row, path, problems)];
    if (isList(row)) return [key, value ?? []];
    return [key, settleKeys(isTree(value) ? value : {}, row, path, problems)];
  });
  return Object.fromEntries(entries);
}

function settleValue(given: unknown, row: Row, path: string, problems: Problems): unknown {
  if (given === undefined) return row.default;
  let value = given;
  if (row.kind === 'duration' && typeof given === 'string') {
    const fallback = typeof row.default === 'number' ? row.default : 0;
    value = problems.durationMs(path, given, fallback);
  }
  return row.rule === undefined ? value : row.rule(value, path, problems);
}

/**
 * Tells what of `given`, which is flags and files without defaults, will be of no use; refuses what
 * asks for a protection that it would not get.
 */
export function judgeEffects(given: Tree, keys: Keys, problems: Problems): void {
  const idle: string[] = [];
  eachRow(keys, (path, row) => {
    const value = valueAt(given, path);
    if (value === undefined) return;
    if (row.effect === 'refused' && asks(value, row, given)) {
      problems.refuse(
        `${path} asks for ${row.does}, which Proconsul does not have yet. It would run unprotected, ` +
          'so it does not start; without the key it does',
      );
    } else if (row.effect === 'none' || row.effect === 'refused') {
      if (saysMore(value, row)) idle.push(path);
    }
    if (row.effect === 'deprecated') {
      problems.warn(`config key ${JSON.stringify(path)} is deprecated and should be removed`);
    }
  });
  if (idle.length > 0) {
    problems.warn(`these keys have no effect here: ${idle.sort().join(', ')}`);
  }
}

/** A value that is the default anyway is not worth a line. */
function saysMore(value: unknown, row: Row): boolean {
  const plain = row.kind === 'duration' ? (parseDuration(String(value)) ?? 0) / NS_PER_MS : value;
  return JSON.stringify(plain) !== JSON.stringify(row.default);
}

function asks(value: unknown, row: Row, given: Tree): boolean {
  if (row.asks !== undefined) return row.asks(value, given);
  if (typeof value === 'number') return value > 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Keys whose new value a reload does not take over: it waits for the next start. */
export function waitingForStart(before: Tree, after: Tree, keys: Keys): readonly string[] {
  const changed: string[] = [];
  eachRow(keys, (path, { effect = 'works', reloads }) => {
    if (reloads || effect !== 'works') return;
    const [was, is] = [before, after].map((tree) => JSON.stringify(valueAt(tree, path)));
    if (was !== is) changed.push(path);
  });
  return changed;
}
