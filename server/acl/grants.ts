/** What a token comes to: the texts of all rules that it has by policies, roles and identities. */
import { type RuleSet, ruleSet } from '../../lib/acl/compile-rights.ts';
import { nodeRules, serviceRules } from '../../lib/acl/identities.ts';
import { type Grants, MANAGEMENT_POLICY_ID, type Policy, type Token } from '../../lib/acl/model.ts';
import { templatedRules } from '../../lib/acl/templates.ts';
import type { Acl } from '../state/acl.ts';

/** What counts in this data centre. What is gone meanwhile gives nothing. */
export function ruleSetsOf(acl: Acl, token: Token, datacenter: string): RuleSet[] {
  const sets = ofGrants(acl, token, datacenter);
  for (const id of token.Roles) {
    const role = acl.roles.get(id);
    if (role !== undefined) sets.push(...ofGrants(acl, role, datacenter));
  }
  if (token.Type === 'management') sets.push(...ofPolicy(acl, MANAGEMENT_POLICY_ID, datacenter));
  if (token.Type === 'client') sets.push(ruleSet(token.Rules, 'legacy'));
  return sets;
}

function ofGrants(acl: Acl, grants: Grants, datacenter: string): RuleSet[] {
  const { Policies, ServiceIdentities, NodeIdentities, TemplatedPolicies } = grants;
  return [
    ...Policies.flatMap((id) => ofPolicy(acl, id, datacenter)),
    ...ServiceIdentities.filter(({ Datacenters }) => counts(Datacenters, datacenter)).map(
      ({ ServiceName }) => ruleSet(serviceRules(ServiceName)),
    ),
    ...NodeIdentities.filter((identity) => identity.Datacenter === datacenter).map(({ NodeName }) =>
      ruleSet(nodeRules(NodeName)),
    ),
    ...TemplatedPolicies.filter(({ Datacenters }) => counts(Datacenters, datacenter)).map(
      (templated) => ruleSet(templatedRules(templated)),
    ),
  ];
}

function counts(datacenters: readonly string[] | null, here: string): boolean {
  return datacenters === null || datacenters.length === 0 || datacenters.includes(here);
}

/** A row never changes, so that its rules are read once, in however many tokens they are. */
const SETS = new WeakMap<Policy, RuleSet>();

function ofPolicy(acl: Acl, id: string, datacenter: string): readonly RuleSet[] {
  const policy = acl.policies.get(id);
  if (policy === undefined || !counts(policy.Datacenters, datacenter)) return [];
  const known = SETS.get(policy);
  if (known !== undefined) return [known];
  const set = ruleSet(policy.Rules);
  SETS.set(policy, set);
  return [set];
}
