/** Forms of tokens, policies and roles: of one that there is, or of a new one. */
import {
  type GrantTexts,
  type PolicyDraft,
  type PolicyRow,
  type RoleDraft,
  type RoleRow,
  type TokenRow,
  textsOf,
  writePolicy,
  writeRole,
} from '../core/access.ts';
import { changeToken, makeToken, type TokenDraft } from '../core/access-tokens.ts';
import type { Action } from '../core/action.ts';
import { upon } from '../core/actions.ts';
import { datacenter, go, href } from '../core/router.ts';
import type { Done } from '../core/way-back.ts';
import { accessFormWords } from '../words/access-form-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { edit, toList } from './access-thing.tsx';
import { tellDone } from './asked.tsx';
import { Area, Field, Form, Several, Tick, useDraft } from './form.tsx';
import { GrantFields } from './grants.tsx';
import { tell } from './toasts.tsx';

/** It was changed: what it was before is one step away. */
export function changed(name: string, done: Done, before: Action | undefined): void {
  edit(false);
  const at = done.action.path;
  void tellDone(accessFormWords.peek().saved(name), done, {
    action: () => before,
    at,
    left: 'answer',
  });
}

const NO_GRANTS: GrantTexts = { policies: [], roles: [], services: [], nodes: [], templates: [] };

export function TokenForm({ token }: { readonly token: TokenRow | undefined }) {
  const say = accessFormWords.value;
  const dc = datacenter.value;
  const draft = useDraft<TokenDraft>(
    `token ${token?.AccessorID ?? ''}`,
    draftOfToken(token),
    token?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const action = token === undefined ? makeToken(value, dc) : changeToken(token, value, dc);
  const onDone = (done: Done) => {
    const { AccessorID, Description } = done.answer as TokenRow;
    const name = Description || AccessorID;
    if (token !== undefined) changed(name, done, changeToken(token, draftOfToken(token), dc));
    else {
      tell(say.made(name));
      go(href('access', 'tokens', AccessorID), { replaces: true });
    }
  };
  return (
    <Form
      label={token === undefined ? say.newToken : uiWords.value.edit}
      verb={token === undefined ? uiWords.value.make : uiWords.value.save}
      action={upon(action, token)}
      draft={draft}
      onDone={onDone}
      onCancel={() => (token === undefined ? toList('tokens') : edit(false))}
    >
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
      <GrantFields value={value} onChange={change} hasRoles={true} />
      {token === undefined && (
        <>
          <Field
            label={say.ttl}
            hint={say.ttlHint}
            value={value.ttl}
            onWrite={(ttl) => change({ ttl })}
          />
          <Tick
            label={say.isLocal}
            isOn={value.isLocal}
            onTick={(isLocal) => change({ isLocal })}
          />
        </>
      )}
    </Form>
  );
}

function draftOfToken(token: TokenRow | undefined): TokenDraft {
  if (token === undefined) return { ...NO_GRANTS, description: '', isLocal: false, ttl: '' };
  return { ...textsOf(token), description: token.Description, isLocal: token.Local, ttl: '' };
}

export function PolicyForm({ policy }: { readonly policy: PolicyRow | undefined }) {
  const say = accessFormWords.value;
  const draft = useDraft<PolicyDraft>(
    `policy ${policy?.ID ?? ''}`,
    draftOfPolicy(policy),
    policy?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const action = writePolicy(policy?.ID ?? '', value);
  const onDone = (done: Done) => {
    const { ID, Name } = done.answer as PolicyRow;
    if (policy !== undefined) changed(Name, done, writePolicy(ID, draftOfPolicy(policy)));
    else {
      tell(say.made(Name));
      go(href('access', 'policies', ID), { replaces: true });
    }
  };
  return (
    <Form
      label={policy === undefined ? say.newPolicy : uiWords.value.edit}
      verb={policy === undefined ? uiWords.value.make : uiWords.value.save}
      action={value.name === '' ? undefined : upon(action, policy)}
      draft={draft}
      onDone={onDone}
      onCancel={() => (policy === undefined ? toList('policies') : edit(false))}
    >
      <Field
        label={say.name}
        hint={say.nameHint}
        value={value.name}
        onWrite={(name) => change({ name })}
      />
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
      <Area
        label={say.rules}
        hint={say.rulesHint}
        value={value.rules}
        onWrite={(rules) => change({ rules })}
      />
      <Several
        label={say.datacenters}
        hint={say.datacentersHint}
        values={value.datacenters}
        onChange={(datacenters) => change({ datacenters })}
      />
    </Form>
  );
}

export function draftOfPolicy(policy: PolicyRow | undefined): PolicyDraft {
  if (policy === undefined) {
    const rules = accessFormWords.peek().rulesStart;
    return { name: '', description: '', rules, datacenters: [] };
  }
  const { Name, Description, Rules = '', Datacenters } = policy;
  return { name: Name, description: Description, rules: Rules, datacenters: Datacenters ?? [] };
}

export function RoleForm({ of: role }: { readonly of: RoleRow | undefined }) {
  const say = accessFormWords.value;
  const dc = datacenter.value;
  const draft = useDraft<RoleDraft>(
    `role ${role?.ID ?? ''}`,
    draftOfRole(role),
    role?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const action = writeRole(role, value, dc);
  const onDone = (done: Done) => {
    const { ID, Name } = done.answer as RoleRow;
    if (role !== undefined) changed(Name, done, writeRole(role, draftOfRole(role), dc));
    else {
      tell(say.made(Name));
      go(href('access', 'roles', ID), { replaces: true });
    }
  };
  return (
    <Form
      label={role === undefined ? say.newRole : uiWords.value.edit}
      verb={role === undefined ? uiWords.value.make : uiWords.value.save}
      action={value.name === '' ? undefined : upon(action, role)}
      draft={draft}
      onDone={onDone}
      onCancel={() => (role === undefined ? toList('roles') : edit(false))}
    >
      <Field
        label={say.name}
        hint={say.nameHint}
        value={value.name}
        onWrite={(name) => change({ name })}
      />
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
      <GrantFields value={value} onChange={change} hasRoles={false} />
    </Form>
  );
}

export function draftOfRole(role: RoleRow | undefined): RoleDraft {
  if (role === undefined) return { ...NO_GRANTS, name: '', description: '' };
  return { ...textsOf(role), name: role.Name, description: role.Description };
}
