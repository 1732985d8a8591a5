/** Services as configuration files define them, in the shape that the HTTP API takes. */

import type { RawService } from '../lib/config/keys/definitions.ts';
import { readConfigFiles } from '../lib/config/load.ts';
import { isTree } from '../lib/config/row.ts';
import { ProconsulError } from '../lib/errors.ts';
import { configHost } from './process/config-host.ts';

/** Throws ProconsulError 'invalid' for a file that is missing or says what no file may. */
export function readServiceFiles(paths: readonly string[]): readonly RawService[] {
  try {
    return readConfigFiles(paths, configHost).services ?? [];
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    throw new ProconsulError('invalid', `Error: ${cause.message}`, { cause });
  }
}

/** Below these the keys are the user's own. */
const FREE = new Set(['meta', 'header', 'config', 'transparent_proxy', 'mesh_gateway']);

/** `enable_tag_override` → `EnableTagOverride`, all the way down; agents read names in any case. */
export function apiService(service: RawService): object {
  const { check, checks, ...rest } = service;
  return {
    ...(apiShape(rest) as object),
    ...(check === undefined ? {} : { Check: apiCheck(check) }),
    ...(checks === undefined ? {} : { Checks: checks.map(apiCheck) }),
  };
}

/** A check's own ID has another name in the API. */
function apiCheck({ id, ...rest }: NonNullable<RawService['check']>): object {
  return { ...(apiShape(rest) as object), ...(id === undefined ? {} : { CheckID: id }) };
}

function apiShape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiShape);
  if (!isTree(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [apiKey(key), apiValue(key, inner)]);
  return Object.fromEntries(entries);
}

function apiValue(key: string, value: unknown): unknown {
  if (FREE.has(key)) return value;
  if (key !== 'tagged_addresses' || !isTree(value)) return apiShape(value);
  return Object.fromEntries(Object.entries(value).map(([tag, at]) => [tag, apiShape(at)]));
}

function apiKey(key: string): string {
  return key.replace(/(?:^|_)(.)/g, (_, first: string) => first.toUpperCase());
}
