/** What a token or a role stands for: in one line, and as a part of a form. */
import {
  type AccessKind,
  type Grants,
  type GrantTexts,
  type Link,
  MANAGEMENT_POLICY,
  serviceText,
  templateText,
} from '../core/access.ts';
import { useLive } from '../core/live.ts';
import { href } from '../core/router.ts';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { Several } from './form.tsx';

export function GrantLinks({ of }: { readonly of: Grants }) {
  const say = accessWords.value;
  const { Policies = [], Roles = [], ServiceIdentities = [], NodeIdentities = [] } = of;
  const plain = [
    ...ServiceIdentities.map((each) => say.service(serviceText(each))),
    ...NodeIdentities.map(({ NodeName }) => say.node(NodeName)),
    ...(of.TemplatedPolicies ?? []).map(templateText),
  ];
  if (Policies.length + Roles.length + plain.length === 0) {
    return <span class="aside">{say.nothing}</span>;
  }
  return (
    <span class="grants">
      {Policies.map((link) => (
        <GrantLink key={link.ID} to="policies" link={link} />
      ))}
      {Roles.map((link) => (
        <GrantLink key={link.ID} to="roles" link={link} />
      ))}
      {plain.map((text) => (
        <span key={text} class="tag">
          {text}
        </span>
      ))}
    </span>
  );
}

function GrantLink({ to, link }: { readonly to: AccessKind; readonly link: Link }) {
  const say = accessWords.value;
  const isAll = link.ID === MANAGEMENT_POLICY;
  return (
    <a class="tag" href={href('access', to, link.ID)} title={isAll ? link.Name : undefined}>
      {isAll ? say.everything : link.Name}
    </a>
  );
}

/** The same as texts, for whoever looks for one. */
export function grantTexts(of: Grants): readonly string[] {
  return [
    ...(of.Policies ?? []).map(({ Name }) => Name),
    ...(of.Roles ?? []).map(({ Name }) => Name),
    ...(of.ServiceIdentities ?? []).map(({ ServiceName }) => ServiceName),
    ...(of.NodeIdentities ?? []).map(({ NodeName }) => NodeName),
  ];
}

interface GrantFieldsProps {
  readonly value: GrantTexts;
  readonly onChange: (part: Partial<GrantTexts>) => void;
  /** A role has none of its own. */
  readonly hasRoles: boolean;
}

export function GrantFields({ value, onChange, hasRoles }: GrantFieldsProps) {
  const say = accessFormWords.value;
  const policies = useLive<readonly Link[]>('/v1/acl/policies');
  const roles = useLive<readonly Link[]>(hasRoles ? '/v1/acl/roles' : '');
  const namesOf = (of: typeof policies) => of.value?.map(({ Name }) => Name) ?? [];
  return (
    <>
      <Several
        label={say.policies}
        values={value.policies}
        offers={namesOf(policies)}
        onChange={(next) => onChange({ policies: next })}
      />
      {hasRoles && (
        <Several
          label={say.roles}
          values={value.roles}
          offers={namesOf(roles)}
          onChange={(next) => onChange({ roles: next })}
        />
      )}
      <Several
        label={say.services}
        hint={say.servicesHint}
        values={value.services}
        onChange={(next) => onChange({ services: next })}
      />
      <Several
        label={say.nodes}
        hint={say.nodesHint}
        values={value.nodes}
        onChange={(next) => onChange({ nodes: next })}
      />
      <Several
        label={say.templates}
        hint={say.templatesHint}
        values={value.templates}
        onChange={(next) => onChange({ templates: next })}
      />
    </>
  );
}
