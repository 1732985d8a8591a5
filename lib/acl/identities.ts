/** The rules that somebody has for being a service or a node, without a policy: Consul's words. */

/** No other name fits between the quotes of a rule. */
const IDENTITY = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;
const MAX_NAME_LENGTH = 256;

export function isIdentityName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && IDENTITY.test(name);
}

/** The name was checked before: it holds no quote. */
export function serviceRules(name: string): string {
  return `
service "${name}" {
	policy = "write"
}
service "${name}-sidecar-proxy" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}
node_prefix "" {
	policy = "read"
}`;
}

export function nodeRules(name: string): string {
  return `
node "${name}" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}`;
}
