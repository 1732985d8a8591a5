/** Queries of /v1/acl: what is shown of auth methods and binding rules. */
import type { AuthMethod, BindingRule } from '../../lib/acl/model.ts';
import { formatDuration } from '../../lib/duration.ts';
import { ACL_BINDING_RULES, ACL_METHODS } from '../state/topic-names.ts';
import { HIDDEN } from './acl.ts';
import { keyOf, type Query } from './query.ts';

export function authMethods(): Query {
  return {
    key: keyOf('acl/auth-methods'),
    run: (reader) => {
      const rows = [...reader.acl(ACL_METHODS).authMethods.values()];
      rows.sort((a, b) => (a.Name < b.Name ? -1 : 1));
      return { json: rows.map((row) => shown({ ...row, MaxTokenTTL: 0, TokenLocality: '' })) };
    },
  };
}

/** `secret`: whether whoever asks may see by what the method proves itself to others. */
export function authMethod(name: string, view: { readonly secret: boolean }): Query {
  return {
    key: keyOf('acl/auth-method', name, view.secret),
    run: (reader) => {
      const row = reader.acl(ACL_METHODS).authMethod(name);
      return row === undefined ? { status: 404 } : { json: shownMethod(row, view) };
    },
  };
}

/** In small letters: names of a configuration are told apart without regard to case. */
const SECRETS: ReadonlySet<string> = new Set(['serviceaccountjwt', 'oidcclientsecret']);

export function shownMethod(row: AuthMethod, { secret }: { readonly secret: boolean }) {
  const Config = Object.entries(row.Config).map(([name, value]) => {
    const isHidden = !secret && SECRETS.has(name.toLowerCase());
    return [name, isHidden ? HIDDEN : value];
  });
  const { CreateIndex, ModifyIndex, ...rest } = shown(row);
  return { ...rest, Config: Object.fromEntries(Config), CreateIndex, ModifyIndex };
}

/** Go leaves out what is empty. */
function shown(row: Omit<AuthMethod, 'Config'>) {
  const { Name, Type, DisplayName, Description, MaxTokenTTL, TokenLocality } = row;
  const { CreateIndex, ModifyIndex } = row;
  return {
    ...(MaxTokenTTL !== 0 && { MaxTokenTTL: formatDuration(MaxTokenTTL) }),
    Name,
    Type,
    ...(DisplayName !== '' && { DisplayName }),
    ...(Description !== '' && { Description }),
    ...(TokenLocality !== '' && { TokenLocality }),
    CreateIndex,
    ModifyIndex,
  };
}

/** Those of one method, unless its name is ''. */
export function bindingRules(method: string): Query {
  return {
    key: keyOf('acl/binding-rules', method),
    run: (reader) => {
      const acl = reader.acl(ACL_BINDING_RULES);
      const rows = [...(method === '' ? acl.bindingRules.values() : acl.bindingRulesOf(method))];
      rows.sort((a, b) => (a.ID < b.ID ? -1 : 1));
      return { json: rows.map(shownRule) };
    },
  };
}

export function bindingRule(id: string): Query {
  return {
    key: keyOf('acl/binding-rule', id),
    run: (reader) => {
      const row = reader.acl(ACL_BINDING_RULES).bindingRules.get(id);
      return row === undefined ? { status: 404 } : { json: shownRule(row) };
    },
  };
}

/** In Consul's order, whatever the body's was. */
export function shownRule(row: BindingRule) {
  const { ID, Description, AuthMethod, Selector, BindType, BindName, BindVars } = row;
  const { CreateIndex, ModifyIndex } = row;
  const vars = BindVars === null ? {} : { BindVars };
  return {
    ...{ ID, Description, AuthMethod, Selector, BindType, BindName },
    ...vars,
    CreateIndex,
    ModifyIndex,
  };
}
