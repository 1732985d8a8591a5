/** What a binding rule may give: one row for each. */
import { isIdentityName } from '../../../lib/acl/identities.ts';
import type { BindingRuleDefinition, Grants } from '../../../lib/acl/model.ts';
import { TEMPLATES } from '../../../lib/acl/templates.ts';
import type { Acl } from '../../state/acl.ts';

export interface Bound extends Grants {
  readonly Roles: readonly string[];
}

export type Rule = Pick<BindingRuleDefinition, 'BindType' | 'BindName' | 'BindVars'>;

/** Where it gives: what is linked by name must be there, and nodes are somewhere. */
export interface Place {
  readonly acl: Acl;
  readonly datacenter: string;
}

export interface BindType {
  /** Whether a name that was filled in is one. */
  isName(name: string): boolean;
  /** Whether a rule must say the variable of a template. */
  needsVars?(name: string): boolean;
  /** What it gives by its name; nothing where that is not there. */
  bound(rule: Rule, place: Place): Partial<Bound>;
}

export const BIND_TYPES: ReadonlyMap<string, BindType> = new Map<string, BindType>([
  [
    'service',
    {
      isName: isIdentityName,
      bound: ({ BindName }) => ({
        ServiceIdentities: [{ ServiceName: BindName, Datacenters: null }],
      }),
    },
  ],
  [
    'node',
    {
      isName: isIdentityName,
      bound: ({ BindName }, { datacenter }) => ({
        NodeIdentities: [{ NodeName: BindName, Datacenter: datacenter }],
      }),
    },
  ],
  [
    'role',
    {
      isName: (name) => /^[A-Za-z0-9_-]{1,256}$/.test(name),
      bound: ({ BindName }, { acl }) => idIn('Roles', acl.roleNamed(BindName)),
    },
  ],
  [
    'policy',
    {
      isName: (name) => /^[A-Za-z0-9_-]{1,128}$/.test(name),
      bound: ({ BindName }, { acl }) => idIn('Policies', acl.policyNamed(BindName)),
    },
  ],
  [
    'templated-policy',
    {
      isName: (name) => TEMPLATES.has(name),
      needsVars: (name) => TEMPLATES.get(name)?.Schema !== '',
      bound: ({ BindName, BindVars }) => ({
        TemplatedPolicies: [
          { TemplateName: BindName, TemplateVariables: BindVars, Datacenters: null },
        ],
      }),
    },
  ],
]);

function idIn(
  list: 'Roles' | 'Policies',
  row: { readonly ID: string } | undefined,
): Partial<Bound> {
  return row === undefined ? {} : { [list]: [row.ID] };
}
