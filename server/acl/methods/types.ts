/** The types of auth methods. */
import { jwt } from './jwt.ts';
import { kubernetes } from './kubernetes.ts';
import type { MethodType } from './method-type.ts';
import { oidc } from './oidc.ts';

export const METHOD_TYPES: ReadonlyMap<string, MethodType> = new Map([
  ['jwt', jwt],
  ['kubernetes', kubernetes],
  ['oidc', oidc],
]);
