/** What bodies of tokens and roles say of their rights. */
import { isIdentityName } from '../../../../lib/acl/identities.ts';
import type {
  Grants,
  NodeIdentity,
  ServiceIdentity,
  TemplatedPolicy,
} from '../../../../lib/acl/model.ts';
import { TEMPLATES } from '../../../../lib/acl/templates.ts';
import type { Acl } from '../../../state/acl.ts';
import { lookupId, rejected } from './deps.ts';

export interface Link {
  readonly ID: string;
  readonly Name: string;
}

export interface GrantsBody {
  readonly Policies: readonly Link[];
  readonly ServiceIdentities: readonly ServiceIdentity[];
  readonly NodeIdentities: readonly NodeIdentity[];
  readonly TemplatedPolicies: readonly TemplatedPolicy[];
}

const text = { type: 'string', default: '' } as const;
const names = { type: 'array', items: { type: 'string' }, default: null, nullable: true } as const;

const listOf = (properties: object) =>
  ({ type: 'array', default: [], items: { type: 'object', properties } }) as const;

export const links = listOf({ ID: text, Name: text });
export const grantsSchema = {
  Policies: links,
  ServiceIdentities: listOf({ ServiceName: text, Datacenters: names }),
  NodeIdentities: listOf({ NodeName: text, Datacenter: text }),
  TemplatedPolicies: listOf({
    TemplateName: text,
    TemplateVariables: {
      type: 'object',
      nullable: true,
      default: null,
      properties: { Name: text },
    },
    Datacenters: names,
  }),
};

type Owner = 'token' | 'role';

export function toGrants(acl: Acl, body: GrantsBody, owner: Owner, isLocal: boolean): Grants {
  return {
    Policies: policyIds(acl, body.Policies, owner),
    ServiceIdentities: serviceIdentities(body.ServiceIdentities, owner, isLocal),
    NodeIdentities: nodeIdentities(body.NodeIdentities, owner),
    TemplatedPolicies: templatedPolicies(body.TemplatedPolicies, isLocal),
  };
}

/** Whether what has the id is there, is asked when it is written. */
function policyIds(acl: Acl, sent: readonly Link[], owner: Owner): string[] {
  return idsOf(sent, {
    what: 'policy',
    named: (name) => acl.policyNamed(name),
    looking: owner === 'token' ? (id) => `Error looking up policy for id "${id}": ` : () => '',
  });
}

export function roleIds(acl: Acl, sent: readonly Link[]): string[] {
  return idsOf(sent, {
    what: 'role',
    named: (name) => acl.roleNamed(name),
    looking: (id) => `Error looking up role for id "${id}": `,
  });
}

interface Linked {
  readonly what: 'policy' | 'role';
  readonly named: (name: string) => { readonly ID: string } | undefined;
  /** What stands before the complaint of an id that is none. */
  readonly looking: (id: string) => string;
}

function idsOf(sent: readonly Link[], { what, named, looking }: Linked): string[] {
  const ids = sent.map(({ ID, Name }) => {
    if (ID !== '') return lookupId(ID, `${looking(ID)}failed acl ${what} lookup: index error: `);
    const found = named(Name);
    if (found === undefined)
      throw rejected(`No such ACL ${what} with name ${JSON.stringify(Name)}`);
    return found.ID;
  });
  return [...new Set(ids)];
}

const ALLOWED = "Only alphanumeric characters, '-' and '_' are allowed";

/** In the order of their names, each once: it counts wherever one of them says so. */
function serviceIdentities(
  sent: readonly ServiceIdentity[],
  owner: Owner,
  isLocal: boolean,
): ServiceIdentity[] {
  const byName = new Map<string, readonly string[] | null>();
  for (const { ServiceName: name, Datacenters } of sent) {
    if (name === '') {
      throw rejected(`Service identity is missing the service name field on this ${owner}`);
    }
    if (!isIdentityName(name)) {
      throw rejected(`Service identity ${JSON.stringify(name)} has an invalid name. ${ALLOWED}`);
    }
    const here = Datacenters?.length === 0 ? null : Datacenters;
    if (isLocal && here !== null) {
      throw rejected(
        `Service identity "${name}" cannot specify a list of datacenters on a local token`,
      );
    }
    const before = byName.get(name);
    const everywhere = here === null || before === null;
    byName.set(name, everywhere ? null : [...new Set([...(before ?? []), ...here])].sort());
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([ServiceName, Datacenters]) => ({ ServiceName, Datacenters }));
}

function nodeIdentities(sent: readonly NodeIdentity[], owner: Owner): NodeIdentity[] {
  const distinct = new Map<string, NodeIdentity>();
  for (const { NodeName, Datacenter } of sent) {
    if (NodeName === '') {
      throw rejected(`Node identity is missing the node name field on this ${owner}`);
    }
    if (Datacenter === '') {
      throw rejected(`Node identity is missing the datacenter field on this ${owner}`);
    }
    if (!isIdentityName(NodeName)) throw rejected(`Node identity has an invalid name. ${ALLOWED}`);
    distinct.set(JSON.stringify([NodeName, Datacenter]), { NodeName, Datacenter });
  }
  return [...distinct.values()];
}

function templatedPolicies(sent: readonly TemplatedPolicy[], isLocal: boolean): TemplatedPolicy[] {
  const distinct = new Map<string, TemplatedPolicy>();
  for (const { TemplateName, TemplateVariables, Datacenters } of sent) {
    const here = Datacenters?.length === 0 ? null : Datacenters;
    if (isLocal && here !== null) {
      throw rejected(
        `templated policy "${TemplateName}" cannot specify a list of datacenters on a local token`,
      );
    }
    const row = { ...checkedTemplate(TemplateName, TemplateVariables), Datacenters: here };
    distinct.set(JSON.stringify(row), row);
  }
  return [...distinct.values()];
}

export function checkedTemplate(
  TemplateName: string,
  variables: TemplatedPolicy['TemplateVariables'],
): Pick<TemplatedPolicy, 'TemplateName' | 'TemplateVariables'> {
  const template = TEMPLATES.get(TemplateName);
  if (template === undefined) {
    throw rejected(`no such ACL templated policy with name ${JSON.stringify(TemplateName)}`);
  }
  const Name = variables?.Name ?? '';
  if (template.Schema === '') return { TemplateName, TemplateVariables: null };
  if (!isIdentityName(Name)) {
    const why = Name === '' ? 'the name variable is missing' : `invalid name. ${ALLOWED}`;
    throw rejected(`templated policy ${JSON.stringify(TemplateName)}: ${why}`);
  }
  return { TemplateName, TemplateVariables: { Name } };
}
