/** Rules of the tokens under which every row is asked. */

const NAMED = ['agent', 'event', 'key', 'node', 'query', 'service', 'session'];
const NAMELESS = ['keyring', 'operator', 'peering'];
const ruleOf = (resource: string, level: string) => {
  // What may be said of calls is a part of a service's rule.
  const more = resource === 'service' ? ` intentions = "${level}"` : '';
  return `${resource}_prefix "" { policy = "${level}"${more} }`;
};
const everything = (level: string) =>
  [
    ...NAMED.map((resource) => ruleOf(resource, level)),
    ...NAMELESS.map((resource) => `${resource} = "${level}"`),
  ].join('\n');
/** As much as possible, of everything but what is planted, and what is asked for beside it and is not there. */
const others = NAMED.flatMap((resource) => [
  ruleOf(resource, 'write'),
  ...['', '-query', '-event', '/key', '-2'].flatMap((end) =>
    ['planted', 'missing'].map((name) => `${resource} "${name}${end}" { policy = "deny" }`),
  ),
]).join('\n');

export const RULES = {
  read: everything('read'),
  write: everything('write'),
  others,
  /** What another agent works with. */
  agents: 'node "n9" { policy = "write" } agent "n9" { policy = "write" }',
} as const;
