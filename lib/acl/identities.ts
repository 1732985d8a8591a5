/** The rules that somebody has for being a service or a node, without a policy: Consul's words. */

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
