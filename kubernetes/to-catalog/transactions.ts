/** What is sent to /v1/txn, and what it says to it. */
import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { numberIn, objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type CatalogAnswer, plainJson } from '../catalog.ts';
import type { Operation } from './differences.ts';

export function bytesOf(operations: readonly Operation[]): number {
  return operations.length === 0 ? 0 : Buffer.byteLength(encodeJson(operations));
}

/**
 * What became of each operation, or why some of them were refused (409). Throws a ProconsulError where the answer does not say
 * it, as that of somebody between: nobody knows then.
 */
export function answerIn({ status, text }: CatalogAnswer): readonly Said[] {
  const said = objectIn(plainJson(text));
  const list = said[status === 409 ? 'Errors' : 'Results'];
  const isOne = status === 409 ? objectsIn(list).length > 0 : list !== undefined;
  if (isOne) return objectsIn(list);
  throw new ProconsulError('unavailable', `the answer to a transaction is none (${status})`);
}

/** Why, by the place of the operation. */
export function faultsIn(errors: readonly Said[]): ReadonlyMap<number, string> {
  return new Map(errors.map(({ OpIndex, What }) => [numberIn(OpIndex), textIn(What)]));
}

/** At which each instance was written, by its id. */
export function indexesIn(results: readonly Said[]): ReadonlyMap<string, unknown> {
  const services = results.map((each) => objectIn(each['Service']));
  return new Map(services.map(({ ID, ModifyIndex }) => [textIn(ID), ModifyIndex]));
}
