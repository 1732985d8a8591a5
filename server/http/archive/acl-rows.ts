/**
 * Access control in an archive: records of Consul's as rows, read as strictly as bodies are. One of a kind
 * that could not have been written here would fail with each request that comes across it.
 */
import type {
  AuthMethod,
  BindingRule,
  Grants,
  NodeIdentity,
  Policy,
  Role,
  ServiceIdentity,
  TemplatedPolicy,
  Token,
} from '../../../lib/acl/model.ts';
import { valueDecoder } from '../../../lib/decode.ts';
import { MAX_RULES_BYTES } from '../../../lib/limits.ts';
import { base64Of, type Fields, timeOf } from './go-values.ts';

const text = { type: 'string', default: '' } as const;
/** What a row is found by. */
const name = { type: 'string', minLength: 1 } as const;
const count = { type: 'integer', default: 0, minimum: 0 } as const;
const flag = { type: 'boolean', default: false } as const;
const texts = { type: 'array', items: { type: 'string' } } as const;

/** Of policies and roles: the name beside it may be an old one. */
const links = {
  type: 'array',
  default: [],
  items: { type: 'object', required: ['ID'], properties: { ID: name } },
} as const;

const variables = { type: 'object', properties: { Name: text } } as const;

const grants = {
  Policies: links,
  ServiceIdentities: {
    type: 'array',
    default: [],
    items: { type: 'object', properties: { ServiceName: text, Datacenters: texts } },
  },
  NodeIdentities: {
    type: 'array',
    default: [],
    items: { type: 'object', properties: { NodeName: text, Datacenter: text } },
  },
  TemplatedPolicies: {
    type: 'array',
    default: [],
    items: {
      type: 'object',
      properties: { TemplateName: text, TemplateVariables: variables, Datacenters: texts },
    },
  },
} as const;

interface Link {
  readonly ID: string;
}

/** What is null in a row may be left out. */
type Sparse<T> = { readonly [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as null extends T[K] ? K : never]?: T[K];
};

interface GrantsBody {
  readonly Policies: readonly Link[];
  readonly ServiceIdentities: readonly Sparse<ServiceIdentity>[];
  readonly NodeIdentities: readonly NodeIdentity[];
  readonly TemplatedPolicies: readonly Sparse<TemplatedPolicy>[];
}

const policyBody = valueDecoder<
  Pick<Policy, 'ID' | 'Name' | 'Description' | 'Rules'> & {
    readonly Datacenters?: readonly string[];
  }
>({
  type: 'object',
  required: ['ID', 'Name'],
  properties: { ID: name, Name: name, Description: text, Rules: text, Datacenters: texts },
});

const roleBody = valueDecoder<Pick<Role, 'ID' | 'Name' | 'Description'> & GrantsBody>({
  type: 'object',
  required: ['ID', 'Name'],
  properties: { ID: name, Name: name, Description: text, ...grants },
});

const tokenBody = valueDecoder<
  Pick<Token, 'AccessorID' | 'SecretID' | 'Description' | 'Local' | 'AuthMethod' | 'Rules'> &
    GrantsBody & { readonly Roles: readonly Link[]; readonly Type: string }
>({
  type: 'object',
  required: ['SecretID'],
  properties: {
    AccessorID: text,
    SecretID: name,
    Description: text,
    ...grants,
    Roles: links,
    Local: flag,
    AuthMethod: text,
    Type: text,
    Rules: text,
  },
});

const methodBody = valueDecoder<
  Omit<AuthMethod, 'TokenLocality' | 'CreateIndex' | 'ModifyIndex'> & {
    readonly TokenLocality: string;
  }
>({
  type: 'object',
  required: ['Name', 'Type'],
  properties: {
    Name: name,
    Type: name,
    DisplayName: text,
    Description: text,
    MaxTokenTTL: count,
    TokenLocality: text,
    Config: { type: 'object', free: true, default: {} },
  },
});

const bindingRuleBody = valueDecoder<
  Omit<BindingRule, 'BindVars' | 'CreateIndex' | 'ModifyIndex'> & {
    readonly BindVars?: { readonly Name: string };
  }
>({
  type: 'object',
  required: ['ID'],
  properties: {
    ID: name,
    Description: text,
    AuthMethod: text,
    Selector: text,
    BindType: text,
    BindName: text,
    BindVars: variables,
  },
});

export function policyOf({ fields, raw, indexed }: Fields): Policy {
  const { ID, Name, Description, Rules, Datacenters = null } = policyBody(fields);
  refuseLong(Rules, Name);
  return {
    ID,
    Name,
    Description,
    Rules,
    Datacenters,
    Hash: base64Of(raw['Hash']) ?? '',
    ...indexed,
  };
}

export function roleOf({ fields, raw, indexed }: Fields): Role {
  const { ID, Name, Description, ...body } = roleBody(fields);
  return {
    ID,
    Name,
    Description,
    ...grantsOf(body),
    Hash: base64Of(raw['Hash']) ?? '',
    ...indexed,
  };
}

export function tokenOf({ fields, raw, indexed }: Fields): Token {
  const body = tokenBody(fields);
  const { AccessorID, SecretID, Description, Local, AuthMethod, Rules } = body;
  refuseLong(Rules, `the token ${AccessorID}`);
  return {
    AccessorID,
    SecretID,
    Description,
    ...grantsOf(body),
    Roles: idsOf(body.Roles),
    Local,
    AuthMethod,
    Type: legacyType(body),
    Rules,
    Hash: base64Of(raw['Hash']) ?? '',
    ...indexed,
    createdAt: timeOf(raw['CreateTime']),
    expiresAt: timeOf(raw['ExpirationTime']),
  };
}

export function methodOf({ fields, indexed }: Fields): AuthMethod {
  const { Name, Type, DisplayName, Description, MaxTokenTTL, Config, ...body } = methodBody(fields);
  const locality = body.TokenLocality;
  return {
    Name,
    Type,
    DisplayName,
    Description,
    MaxTokenTTL,
    TokenLocality: locality === 'local' || locality === 'global' ? locality : '',
    Config,
    ...indexed,
  };
}

export function bindingRuleOf({ fields, indexed }: Fields): BindingRule {
  const body = bindingRuleBody(fields);
  const { ID, Description, AuthMethod, Selector, BindType, BindName, BindVars = null } = body;
  return { ID, Description, AuthMethod, Selector, BindType, BindName, BindVars, ...indexed };
}

/** What gives rights: links to policies by id, and identities. */
function grantsOf(body: GrantsBody): Grants {
  return {
    Policies: idsOf(body.Policies),
    ServiceIdentities: body.ServiceIdentities.map(({ ServiceName, Datacenters = null }) => ({
      ServiceName,
      Datacenters,
    })),
    NodeIdentities: body.NodeIdentities,
    TemplatedPolicies: body.TemplatedPolicies.map(
      ({ TemplateName, TemplateVariables = null, Datacenters = null }) => ({
        TemplateName,
        TemplateVariables,
        Datacenters,
      }),
    ),
  };
}

/** As long as could have been written here: every server and agent reads them anew. */
function refuseLong(rules: string, whose: string): void {
  if (Buffer.byteLength(rules) <= MAX_RULES_BYTES) return;
  throw new Error(`the rules of ${whose} are longer than ${MAX_RULES_BYTES} bytes`);
}

/** Consul marks what it makes from the configuration as if it were of the old API. */
function legacyType({
  Type,
  Policies,
  AccessorID,
}: Pick<GrantsBody, 'Policies'> & { Type: string; AccessorID: string }): Token['Type'] {
  if (AccessorID !== '' && Policies.length > 0) return '';
  return Type === 'client' || Type === 'management' ? Type : '';
}

function idsOf(links: readonly Link[]): readonly string[] {
  return links.map(({ ID }) => ID);
}
