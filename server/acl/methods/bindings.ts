/** What binding rules give whom an auth method knows. */

import { isIdentityName } from '../../../lib/acl/identities.ts';
import type { BindingRule } from '../../../lib/acl/model.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { compileFilter } from '../../../lib/filter/compile-filter.ts';
import type { StructSchema } from '../../../lib/filter/fields.ts';
import type { Predicate } from '../../../lib/filter/leaf-test.ts';
import type { StoodAt } from '../../acl-commands.ts';
import { filledIn } from './bind-name.ts';
import { BIND_TYPES, type Bound, type Place } from './bind-types.ts';
import type { Identity } from './method-type.ts';

export interface Binding {
  readonly bound: Bound;
  /** The rules that gave it, as they stood. */
  readonly rules: readonly StoodAt[];
}

/** Undefined where they give nothing. */
export function bind(
  rules: Iterable<BindingRule>,
  fields: StructSchema,
  { selectable, variables }: Identity,
  place: Place,
): Binding | undefined {
  const matching = [...rules].filter((rule) => selectorOf(rule, fields)(selectable));
  const given: Partial<Bound>[] = [];
  const gave: StoodAt[] = [];
  for (const rule of matching) {
    const bound = boundBy(rule, variables, place);
    if (Object.keys(bound).length === 0) continue;
    given.push(bound);
    gave.push({ id: rule.ID, at: rule.ModifyIndex });
  }
  return given.length === 0 ? undefined : { bound: together(given), rules: gave };
}

/** A row never changes, so that its selector is read once. */
const SELECTORS = new WeakMap<BindingRule, Predicate>();

function selectorOf(rule: BindingRule, fields: StructSchema): Predicate {
  const known = SELECTORS.get(rule);
  if (known !== undefined) return known;
  const selector = compileFilter(rule.Selector, fields);
  SELECTORS.set(rule, selector);
  return selector;
}

function boundBy(
  rule: BindingRule,
  variables: ReadonlyMap<string, string>,
  place: Place,
): Partial<Bound> {
  const { BindType, BindVars } = rule;
  const type = BIND_TYPES.get(BindType);
  if (type === undefined) return {};
  const BindName = filledIn(rule.BindName, variables);
  if (!type.isName(BindName)) throw invalidName(BindType, 'bind name', BindName);
  if (type.needsVars?.(BindName) !== true) {
    return type.bound({ BindType, BindName, BindVars: null }, place);
  }
  const Name = filledIn(BindVars?.Name ?? '', variables);
  if (!isIdentityName(Name)) throw invalidName(BindType, 'bind variable', Name);
  return type.bound({ BindType, BindName, BindVars: { Name } }, place);
}

function invalidName(type: string, what: string, name: string): ProconsulError {
  const text = `computed ${JSON.stringify(type)} ${what} for bind target is invalid: `;
  return new ProconsulError('rejected', text + JSON.stringify(name));
}

/** Each once, however many rules give it. */
function together(given: readonly Partial<Bound>[]): Bound {
  return {
    Policies: distinct(given.map(({ Policies }) => Policies)),
    Roles: distinct(given.map(({ Roles }) => Roles)),
    ServiceIdentities: distinct(given.map(({ ServiceIdentities }) => ServiceIdentities)),
    NodeIdentities: distinct(given.map(({ NodeIdentities }) => NodeIdentities)),
    TemplatedPolicies: distinct(given.map(({ TemplatedPolicies }) => TemplatedPolicies)),
  };
}

function distinct<T>(lists: readonly (readonly T[] | undefined)[]): T[] {
  const all = lists.flatMap((list) => list ?? []);
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
}
