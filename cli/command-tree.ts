/** Every command of the command line by its words: a line each, and its module for the rest. */
import type { Command } from './command.ts';

type Load = () => Promise<{ readonly command: Command }>;

export interface CommandEntry {
  readonly summary: string;
  /** Only the module of the command that is run is loaded, so that each starts fast. */
  readonly load: () => Promise<Command>;
}

export interface CommandGroup {
  readonly summary: string;
  readonly commands: ReadonlyMap<string, CommandNode>;
}

export type CommandNode = CommandEntry | CommandGroup;

type Row = readonly [words: string, summary: string, load?: Load];

/** A group stands before its commands, and has no module. */
// biome-ignore format: a line each, long as some are.
const ROWS: readonly Row[] = [
  ['acl', 'Says who may do what'],
  ['acl auth-method', 'Who says who somebody is'],
  ...of('acl auth-method', () => import('./commands/acl-auth-method.ts'), {
    create: 'Makes an auth method', delete: 'Deletes one', list: 'Lists them', read: 'Shows one', update: 'Changes one',
  }),
  ['acl binding-rule', 'What somebody may do whom an auth method knows'],
  ...of('acl binding-rule', () => import('./commands/acl-binding-rule.ts'), {
    create: 'Makes a binding rule', delete: 'Deletes one', list: 'Lists them', read: 'Shows one', update: 'Changes one',
  }),
  ['acl bootstrap', 'Makes the first token', () => import('./commands/acl-bootstrap.ts')],
  ['acl policy', 'Rules that have a name'],
  ...of('acl policy', () => import('./commands/acl-policy.ts'), {
    create: 'Makes a policy', delete: 'Deletes one', list: 'Lists them', read: 'Shows one', update: 'Changes one',
  }),
  ['acl role', 'Policies that go together'],
  ...of('acl role', () => import('./commands/acl-role.ts'), {
    create: 'Makes a role', delete: 'Deletes one', list: 'Lists them', read: 'Shows one', update: 'Changes one',
  }),
  ['acl set-agent-token', 'Gives the agent a token to use', () => import('./commands/acl-set-agent-token.ts')],
  ['acl token', 'What a request shows to be let in'],
  ...of('acl token', () => import('./commands/acl-token.ts'), {
    clone: 'Makes one that may do the same', create: 'Makes a token', delete: 'Deletes one', list: 'Lists them', read: 'Shows one', update: 'Changes one',
  }),
  ['acl translate-rules', 'Says legacy rules as they are written today', () => import('./commands/acl-translate-rules.ts')],
  ['catalog', 'Lists what is in the catalog'],
  ['catalog datacenters', 'Lists the datacenters', () => import('./commands/catalog-datacenters.ts')],
  ['catalog nodes', 'Lists the nodes in the catalog', () => import('./commands/catalog-nodes.ts')],
  ['catalog services', 'Lists the services in the catalog', () => import('./commands/catalog-services.ts')],
  ['config', 'What is said once of services and proxies'],
  ['config delete', 'Deletes a config entry', async () => ({ command: (await import('./commands/config.ts')).remove })],
  ['config list', 'Lists those of a kind', async () => ({ command: (await import('./commands/config.ts')).list })],
  ['config read', 'Shows one', async () => ({ command: (await import('./commands/config.ts')).read })],
  ['config write', 'Makes or replaces one', async () => ({ command: (await import('./commands/config.ts')).write })],
  ['connect', 'Who services are to each other'],
  ['connect ca', 'Who vouches for them'],
  ['connect ca get-config', 'Shows what the certificate authority was told', () => import('./commands/connect-ca-get-config.ts')],
  ['connect ca set-config', 'Changes it', () => import('./commands/connect-ca-set-config.ts')],
  ['connect envoy', 'Envoy beside a service of the mesh', () => import('./commands/connect-envoy.ts')],
  ['connect expose', 'Lets calls to a service into the mesh', () => import('./commands/connect-expose.ts')],
  ['connect proxy', 'A proxy beside a program, for the services that it calls', () => import('./commands/connect-proxy.ts')],
  ['debug', 'Gathers what somebody needs who is asked for help', () => import('./commands/debug.ts')],
  ['event', 'Fires an event', () => import('./commands/event.ts')],
  ['exec', 'Runs a command on many nodes', () => import('./commands/exec.ts')],
  ['force-leave', 'Makes a failed member one that has left', () => import('./commands/force-leave.ts')],
  ['history', 'Shows what became of a service, and how available it was', () => import('./commands/history.ts')],
  ['import-consul', 'Copies what a Consul knows into a new cluster', () => import('./commands/import-consul.ts')],
  ['info', 'Shows figures of the agent', () => import('./commands/info.ts')],
  ['intention', 'Who may call whom in the mesh'],
  ['intention check', 'Says whether one service may call another', async () => ({ command: (await import('./commands/intention.ts')).check })],
  ['intention create', 'Makes intentions', async () => ({ command: (await import('./commands/intention.ts')).create })],
  ['intention delete', 'Deletes one', async () => ({ command: (await import('./commands/intention.ts')).remove })],
  ['intention get', 'Shows one', async () => ({ command: (await import('./commands/intention.ts')).get })],
  ['intention match', 'Lists those about a service', async () => ({ command: (await import('./commands/intention.ts')).match })],
  ['join', 'Makes the agent join a cluster', () => import('./commands/join.ts')],
  ['k8s-sync', 'Brings the Services of a Kubernetes cluster to the catalog', () => import('./commands/k8s-sync.ts')],
  ['keygen', 'Makes a random key', () => import('./commands/keygen.ts')],
  ['keyring', 'Shows and changes the keys that the log is sealed under', () => import('./commands/keyring.ts')],
  ['kv', 'Reads and writes keys'],
  ['kv delete', 'Deletes a key or a tree', () => import('./commands/kv-delete.ts')],
  ['kv diff', 'Shows how a key changed', () => import('./commands/kv-diff.ts')],
  ['kv export', 'Writes a tree out as JSON', () => import('./commands/kv-export.ts')],
  ['kv get', 'Reads a key, a tree or the names of keys', () => import('./commands/kv-get.ts')],
  ['kv history', 'Lists what a key said before', () => import('./commands/kv-history.ts')],
  ['kv import', 'Writes what `kv export` wrote out', () => import('./commands/kv-import.ts')],
  ['kv put', 'Writes a key', () => import('./commands/kv-put.ts')],
  ['kv revisions', 'Shows and changes which keys have a history', () => import('./commands/kv-revisions.ts')],
  ['kv rollback', 'Writes what a key said before', () => import('./commands/kv-rollback.ts')],
  ['leave', 'Makes the agent leave its cluster and end', () => import('./commands/leave.ts')],
  ['lock', 'Runs a program while it holds a lock', () => import('./commands/lock.ts')],
  ['login', 'Gets a token from an auth method', () => import('./commands/login.ts')],
  ['logout', 'Destroys a token that came from a login', () => import('./commands/logout.ts')],
  ['maint', 'Takes the node or a service out of all answers for a while', () => import('./commands/maint.ts')],
  ['members', 'Lists the agents and servers', () => import('./commands/members.ts')],
  ['monitor', "Shows the agent's log as it is written", () => import('./commands/monitor.ts')],
  ['operator', 'Looks after the servers'],
  ['operator autopilot', 'Shows and changes what autopilot is told'],
  ['operator autopilot get-config', 'Shows what autopilot was told', () => import('./commands/operator-autopilot-get-config.ts')],
  ['operator autopilot set-config', 'Changes what autopilot is told', () => import('./commands/operator-autopilot-set-config.ts')],
  ['operator autopilot state', 'Shows whether the servers keep up', () => import('./commands/operator-autopilot-state.ts')],
  ['operator raft', 'Lists and takes out servers, and says who leads'],
  ['operator raft list-peers', 'Lists the servers', () => import('./commands/operator-raft-list-peers.ts')],
  ['operator raft remove-peer', 'Takes out a server that has failed', () => import('./commands/operator-raft-remove-peer.ts')],
  ['operator raft transfer-leader', 'Makes another server the leader', () => import('./commands/operator-raft-transfer-leader.ts')],
  ['operator usage', 'Counts what is in the catalog'],
  ['operator usage instances', 'Counts services and their instances', () => import('./commands/operator-usage-instances.ts')],
  ['reload', 'Makes the agent read its configuration again', () => import('./commands/reload.ts')],
  ['rtt', 'Estimates the round trip time between two nodes', () => import('./commands/rtt.ts')],
  ['services', 'Registers services with the agent'],
  ['services deregister', 'Takes services out', () => import('./commands/services-deregister.ts')],
  ['services export', 'Says which other clusters may see a service', async () => ({ command: (await import('./commands/services-export.ts')).give })],
  ['services exported-services', 'Lists what other clusters may see', async () => ({ command: (await import('./commands/services-export.ts')).list })],
  ['services register', 'Registers services', () => import('./commands/services-register.ts')],
  ['snapshot', 'Saves and restores the state'],
  ['snapshot agent', 'Saves the state again and again, one of several that run', () => import('./commands/snapshot-agent.ts')],
  ['snapshot inspect', 'Shows what an archive holds', () => import('./commands/snapshot-inspect.ts')],
  ['snapshot restore', 'Puts an archive in place of the state', () => import('./commands/snapshot-restore.ts')],
  ['snapshot save', 'Saves the state to an archive', () => import('./commands/snapshot-save.ts')],
  ['tls', 'Makes certificates'],
  ['tls ca', 'Makes authorities'],
  ['tls ca create', 'Makes an authority', () => import('./commands/tls-ca-create.ts')],
  ['tls cert', 'Makes certificates'],
  ['tls cert create', 'Makes a certificate', () => import('./commands/tls-cert-create.ts')],
  ['validate', 'Checks configuration files', () => import('./commands/validate.ts')],
  ['version', 'Shows the version', () => import('./commands/version.ts')],
  ['watch', 'Shows a change, or runs a program at each', () => import('./commands/watch.ts')],
];

/** The commands of one kind of object, which its module has by their names. */
type Verb = 'clone' | 'create' | 'list' | 'read' | 'remove' | 'update';

function of<V extends Verb>(
  group: string,
  load: () => Promise<Readonly<Record<V, Command>>>,
  summaries: Readonly<Record<V extends 'remove' ? 'delete' : V, string>>,
): readonly Row[] {
  return Object.entries<string>(summaries).map(([word, summary]) => {
    // A name in JavaScript cannot be `delete`.
    const verb = (word === 'delete' ? 'remove' : word) as V;
    return [`${group} ${word}`, summary, async () => ({ command: (await load())[verb] })];
  });
}

/** All but `agent`, which has a reading of its own. */
export const COMMANDS: CommandGroup = tree();

function tree(): CommandGroup {
  const top = new Map<string, CommandNode>();
  const groups = new Map([['', top]]);
  for (const [words, summary, load] of ROWS) {
    const at = words.lastIndexOf(' ');
    const group = groups.get(words.slice(0, Math.max(at, 0)));
    const commands = new Map<string, CommandNode>();
    if (load === undefined) groups.set(words, commands);
    const node =
      load === undefined
        ? { summary, commands }
        : { summary, load: async () => (await load()).command };
    group?.set(words.slice(at + 1), node);
  }
  return { summary: '', commands: top };
}
