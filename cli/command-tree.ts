/** Every command of the command line by its words, and where its module is. */
import type { Command } from './command.ts';

export interface CommandEntry {
  readonly does: string;
  /** Only the module of the command that is run is loaded, so that each starts fast. */
  readonly load: () => Promise<Command>;
}

export interface CommandGroup {
  readonly does: string;
  readonly commands: ReadonlyMap<string, CommandNode>;
}

export type CommandNode = CommandEntry | CommandGroup;

function group(does: string, commands: readonly (readonly [string, CommandNode])[]): CommandGroup {
  return { does, commands: new Map(commands) };
}

function notBuilt(name: string, does: string): readonly [string, CommandEntry] {
  const load = async () => (await import('./commands/not-built.ts')).notBuilt(name);
  return [name, { does: `${does} (not built yet)`, load }];
}

const CATALOG = group('Lists what is in the catalog', [
  [
    'datacenters',
    {
      does: 'Lists the datacenters',
      load: async () => (await import('./commands/catalog-datacenters.ts')).catalogDatacenters,
    },
  ],
  [
    'nodes',
    {
      does: 'Lists the nodes',
      load: async () => (await import('./commands/catalog-nodes.ts')).catalogNodes,
    },
  ],
  [
    'services',
    {
      does: 'Lists the services',
      load: async () => (await import('./commands/catalog-services.ts')).catalogServices,
    },
  ],
]);

const KV = group('Reads and writes keys', [
  [
    'delete',
    {
      does: 'Deletes a key or a tree',
      load: async () => (await import('./commands/kv-delete.ts')).kvDelete,
    },
  ],
  [
    'export',
    {
      does: 'Writes a tree out as JSON',
      load: async () => (await import('./commands/kv-export.ts')).kvExport,
    },
  ],
  [
    'get',
    {
      does: 'Reads a key, a tree or the names of keys',
      load: async () => (await import('./commands/kv-get.ts')).kvGet,
    },
  ],
  [
    'import',
    {
      does: 'Writes what `kv export` wrote out',
      load: async () => (await import('./commands/kv-import.ts')).kvImport,
    },
  ],
  [
    'put',
    {
      does: 'Writes a key',
      load: async () => (await import('./commands/kv-put.ts')).kvPut,
    },
  ],
]);

const OPERATOR = group('Looks at the servers', [
  [
    'autopilot',
    group('Shows and changes what autopilot is told', [
      [
        'get-config',
        {
          does: 'Shows what autopilot was told',
          load: async () => (await import('./commands/autopilot-get.ts')).autopilotGet,
        },
      ],
      [
        'set-config',
        {
          does: 'Changes what autopilot is told',
          load: async () => (await import('./commands/autopilot-set.ts')).autopilotSet,
        },
      ],
    ]),
  ],
  [
    'raft',
    group('Lists the servers', [
      [
        'list-peers',
        {
          does: 'Lists the servers',
          load: async () => (await import('./commands/raft-list-peers.ts')).raftListPeers,
        },
      ],
      [
        'remove-peer',
        {
          does: 'Refused: there is no Raft here',
          load: async () => (await import('./commands/raft-remove-peer.ts')).raftRemovePeer,
        },
      ],
    ]),
  ],
]);

const SERVICES = group('Registers services with the agent', [
  [
    'deregister',
    {
      does: 'Takes services out',
      load: async () => (await import('./commands/services-deregister.ts')).servicesDeregister,
    },
  ],
  [
    'register',
    {
      does: 'Registers services',
      load: async () => (await import('./commands/services-register.ts')).servicesRegister,
    },
  ],
]);

/** All but `agent`, which has a reading of its own. */
export const COMMANDS: CommandGroup = group('', [
  notBuilt('acl', 'Access control'),
  ['catalog', CATALOG],
  notBuilt('config', 'Config entries'),
  notBuilt('connect', 'The mesh'),
  notBuilt('debug', 'Gathers what a debugger needs'),
  [
    'event',
    { does: 'Fires an event', load: async () => (await import('./commands/event.ts')).event },
  ],
  [
    'exec',
    {
      does: 'Refused: nothing here runs commands on other machines',
      load: async () => (await import('./commands/exec.ts')).exec,
    },
  ],
  [
    'force-leave',
    {
      does: 'Makes a failed member one that has left',
      load: async () => (await import('./commands/force-leave.ts')).forceLeave,
    },
  ],
  [
    'info',
    {
      does: 'Shows figures of the agent',
      load: async () => (await import('./commands/info.ts')).info,
    },
  ],
  notBuilt('intention', 'Who may speak to whom in the mesh'),
  [
    'join',
    {
      does: 'Makes the agent join a cluster',
      load: async () => (await import('./commands/join.ts')).join,
    },
  ],
  [
    'keygen',
    { does: 'Makes a random key', load: async () => (await import('./commands/keygen.ts')).keygen },
  ],
  notBuilt('keyring', 'Keys of gossip, of which there is none here'),
  ['kv', KV],
  [
    'leave',
    {
      does: 'Makes the agent leave its cluster and end',
      load: async () => (await import('./commands/leave.ts')).leave,
    },
  ],
  [
    'lock',
    {
      does: 'Runs a program while it holds a lock',
      load: async () => (await import('./commands/lock.ts')).lock,
    },
  ],
  notBuilt('login', 'Access control'),
  notBuilt('logout', 'Access control'),
  [
    'maint',
    {
      does: 'Takes the node or a service out of all answers for a while',
      load: async () => (await import('./commands/maint.ts')).maint,
    },
  ],
  [
    'members',
    {
      does: 'Lists the agents and servers',
      load: async () => (await import('./commands/members.ts')).members,
    },
  ],
  [
    'monitor',
    {
      does: "Shows the agent's log as it is written",
      load: async () => (await import('./commands/monitor.ts')).monitor,
    },
  ],
  ['operator', OPERATOR],
  [
    'reload',
    {
      does: 'Makes the agent read its configuration again',
      load: async () => (await import('./commands/reload.ts')).reload,
    },
  ],
  [
    'rtt',
    {
      does: 'Estimates the round trip time between two nodes',
      load: async () => (await import('./commands/rtt.ts')).rtt,
    },
  ],
  ['services', SERVICES],
  notBuilt('snapshot', 'Saves and restores the state'),
  notBuilt('tls', 'Makes certificates'),
  [
    'validate',
    {
      does: 'Checks configuration files',
      load: async () => (await import('./commands/validate.ts')).validate,
    },
  ],
  [
    'version',
    {
      does: 'Shows the version',
      load: async () => (await import('./commands/version.ts')).version,
    },
  ],
  [
    'watch',
    {
      does: 'Shows a change, or runs a program at each',
      load: async () => (await import('./commands/watch.ts')).watch,
    },
  ],
]);
