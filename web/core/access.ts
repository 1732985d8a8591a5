/** Access control as the API has it, and what may be done with it. */
import type { Action } from './action.ts';

export interface Link {
  readonly ID: string;
  readonly Name: string;
}

export interface ServiceIdentity {
  readonly ServiceName: string;
  readonly Datacenters?: readonly string[];
}

export interface NodeIdentity {
  readonly NodeName: string;
  readonly Datacenter: string;
}

export interface TemplatedPolicy {
  readonly TemplateName: string;
  readonly TemplateVariables?: { readonly Name: string } | null;
  readonly Datacenters?: readonly string[];
}

/** What gives rights. A list of which there is nothing is left out. */
export interface Grants {
  readonly Policies?: readonly Link[];
  readonly Roles?: readonly Link[];
  readonly ServiceIdentities?: readonly ServiceIdentity[];
  readonly NodeIdentities?: readonly NodeIdentity[];
  readonly TemplatedPolicies?: readonly TemplatedPolicy[];
}

interface Indexed {
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

export interface TokenRow extends Grants, Indexed {
  readonly AccessorID: string;
  readonly Description: string;
  readonly Local: boolean;
  readonly AuthMethod?: string;
  readonly ExpirationTime?: string;
  readonly CreateTime: string;
}

export interface TokenInFull extends TokenRow {
  /** `<hidden>` from whoever may not write. */
  readonly SecretID: string;
  readonly ExpandedPolicies?: readonly PolicyRow[] | null;
  readonly ExpandedRoles?: readonly RoleRow[] | null;
}

export interface PolicyRow extends Indexed {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  /** Not in a list. */
  readonly Rules?: string;
  readonly Datacenters?: readonly string[] | null;
}

export interface RoleRow extends Grants, Indexed {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
}

export interface MethodRow extends Indexed {
  readonly Name: string;
  readonly Type: string;
  readonly DisplayName?: string;
  readonly Description?: string;
  readonly MaxTokenTTL?: string;
  readonly TokenLocality?: string;
  /** Not in a list. */
  readonly Config?: Readonly<Record<string, unknown>>;
}

export interface BindingRuleRow extends Indexed {
  readonly ID: string;
  readonly Description: string;
  readonly AuthMethod: string;
  readonly Selector: string;
  readonly BindType: string;
  readonly BindName: string;
  readonly BindVars?: { readonly Name: string };
}

export const MANAGEMENT_POLICY = '00000000-0000-0000-0000-000000000001';
export const ANONYMOUS = '00000000-0000-0000-0000-000000000002';

export const mayReadAccess = { Resource: 'acl', Access: 'read' } as const;
export const mayWriteAccess = { Resource: 'acl', Access: 'write' } as const;

/** The kinds of things there are, as their addresses have them. */
export type AccessKind = 'tokens' | 'policies' | 'roles' | 'methods';

/** What a body says of grants: as they are written in a form, one text each. */
export interface GrantTexts {
  readonly policies: readonly string[];
  readonly roles: readonly string[];
  /** `web`, or `web:dc1,dc2`. */
  readonly services: readonly string[];
  /** `n1:dc1` */
  readonly nodes: readonly string[];
  /** `builtin/service:web`, or `builtin/service:web@dc1,dc2`. */
  readonly templates: readonly string[];
}

export function textsOf(grants: Grants): GrantTexts {
  const { Policies = [], Roles = [], ServiceIdentities = [], NodeIdentities = [] } = grants;
  return {
    policies: Policies.map(({ Name }) => Name),
    roles: Roles.map(({ Name }) => Name),
    services: ServiceIdentities.map(serviceText),
    nodes: NodeIdentities.map(nodeText),
    templates: (grants.TemplatedPolicies ?? []).map(templateText),
  };
}

export function serviceText({ ServiceName, Datacenters }: ServiceIdentity): string {
  return joined(ServiceName, Datacenters?.join(','));
}

function nodeText({ NodeName, Datacenter }: NodeIdentity): string {
  return joined(NodeName, Datacenter);
}

export function templateText(template: TemplatedPolicy): string {
  const { TemplateName, TemplateVariables, Datacenters } = template;
  return joined(joined(TemplateName, TemplateVariables?.Name), Datacenters?.join(','), '@');
}

export function grantsOf(texts: GrantTexts, before: Grants, datacenter: string): Grants {
  return {
    Policies: texts.policies.map((name) => linkTo(name, before.Policies)),
    Roles: texts.roles.map((name) => linkTo(name, before.Roles)),
    ServiceIdentities: texts.services.map(
      (text) => written(text, before.ServiceIdentities, serviceText) ?? serviceOf(text),
    ),
    NodeIdentities: texts.nodes.map(
      (text) => written(text, before.NodeIdentities, nodeText) ?? nodeOf(text, datacenter),
    ),
    TemplatedPolicies: texts.templates.map(
      (text) => written(text, before.TemplatedPolicies, templateText) ?? templateOf(text),
    ),
  };
}

/** What nobody has touched is sent back whole, with whatever its text does not say. */
function written<T>(text: string, before: readonly T[] = [], textOf: (each: T) => string) {
  return before.find((each) => textOf(each) === text);
}

function serviceOf(text: string): ServiceIdentity {
  const [ServiceName, datacenters] = parted(text);
  return { ServiceName, ...listed(datacenters) };
}

function nodeOf(text: string, datacenter: string): NodeIdentity {
  const [NodeName, Datacenter] = parted(text);
  return { NodeName, Datacenter: Datacenter || datacenter };
}

function templateOf(text: string): TemplatedPolicy {
  const [TemplateName, rest] = parted(text.replace(/@[^@]*$/, ''));
  const datacenters = /@([^@]*)$/.exec(text)?.[1] ?? '';
  return {
    TemplateName,
    ...(rest !== '' && { TemplateVariables: { Name: rest } }),
    ...listed(datacenters),
  };
}

function listed(datacenters: string): { readonly Datacenters?: readonly string[] } {
  return datacenters === '' ? {} : { Datacenters: datacenters.split(',') };
}

/** What is there is named by its id: its name may be another by now. */
function linkTo(name: string, before: readonly Link[] = []): Link {
  return before.find(({ Name }) => Name === name) ?? { ID: '', Name: name };
}

function joined(name: string, more = '', by = ':'): string {
  return more === '' ? name : name + by + more;
}

function parted(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** As flags of a command; undefined where none says it. */
export function flagsOf(texts: GrantTexts, datacenter: string): readonly string[] | undefined {
  if (texts.templates.length > 0) return undefined;
  return [
    ...texts.policies.map((name) => `-policy-name=${name}`),
    ...texts.roles.map((name) => `-role-name=${name}`),
    ...texts.services.map((text) => `-service-identity=${text}`),
    ...texts.nodes.map((text) => `-node-identity=${joined(...nodeParts(text, datacenter))}`),
  ];
}

function nodeParts(text: string, datacenter: string): readonly [string, string] {
  const [name, own] = parted(text);
  return [name, own || datacenter];
}

export interface PolicyDraft {
  readonly name: string;
  readonly description: string;
  readonly rules: string;
  readonly datacenters: readonly string[];
}

/** Of one that there is, or a new one. */
export function writePolicy(id: string, draft: PolicyDraft): Action {
  const { name, description, rules, datacenters } = draft;
  const isNew = id === '';
  // A command reads a file by @, its input by -.
  const isPlain = !/^[@-]/.test(rules);
  return {
    method: 'PUT',
    path: isNew ? '/v1/acl/policy' : pathOf('policy', id),
    body: {
      ...(!isNew && { ID: id }),
      Name: name,
      Description: description,
      Rules: rules,
      ...(datacenters.length > 0 && { Datacenters: datacenters }),
    },
    ...(isPlain && {
      command: {
        words: [
          ...(isNew
            ? ['acl', 'policy', 'create']
            : ['acl', 'policy', 'update', `-id=${id}`, '-no-merge']),
          ...[`-name=${name}`, `-description=${description}`, `-rules=${rules}`],
          ...datacenters.map((each) => `-valid-datacenter=${each}`),
        ],
      },
    }),
  };
}

export function deletePolicy({ ID }: PolicyRow): Action {
  return {
    method: 'DELETE',
    path: pathOf('policy', ID),
    command: { words: ['acl', 'policy', 'delete', `-id=${ID}`] },
  };
}

export interface RoleDraft extends GrantTexts {
  readonly name: string;
  readonly description: string;
}

export function writeRole(role: RoleRow | undefined, draft: RoleDraft, datacenter: string): Action {
  const { name, description } = draft;
  const flags = flagsOf(draft, datacenter);
  const { Roles: _, ...grants } = grantsOf(draft, role ?? {}, datacenter);
  const verb = role === undefined ? ['create'] : ['update', `-id=${role.ID}`, '-no-merge'];
  return {
    method: 'PUT',
    path: role === undefined ? '/v1/acl/role' : pathOf('role', role.ID),
    body: {
      ...(role && { ID: role.ID }),
      Name: name,
      Description: description,
      ...filled(grants),
    },
    command: flags && {
      words: [
        ...['acl', 'role', ...verb, `-name=${name}`, `-description=${description}`],
        ...flags,
      ],
    },
  };
}

export function deleteRole({ ID }: RoleRow): Action {
  return {
    method: 'DELETE',
    path: pathOf('role', ID),
    command: { words: ['acl', 'role', 'delete', `-id=${ID}`] },
  };
}

export function pathOf(what: 'token' | 'policy' | 'role', id: string): string {
  return `/v1/acl/${what}/${encodeURIComponent(id)}`;
}

export function grantsIn({ Policies, Roles, ...rest }: Grants): Grants {
  const { ServiceIdentities, NodeIdentities, TemplatedPolicies } = rest;
  return filled({ Policies, Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies });
}

/** A list of nothing is not said. */
export function filled(grants: { readonly [K in keyof Grants]: Grants[K] | undefined }): Grants {
  return Object.fromEntries(
    Object.entries(grants).filter(([, list]) => list !== undefined && list.length > 0),
  );
}
