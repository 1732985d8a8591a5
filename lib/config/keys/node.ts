/** Who this agent is and how it comes and goes: its role, name, data centre and folder. */
import { MAX_META_PAIRS, metaPairFault } from '../../meta.ts';
import type { StringMap } from '../../model.ts';
import type { Source } from '../config-host.ts';
import type { Problems } from '../problems.ts';
import {
  atLeast,
  bool,
  duration,
  int,
  map,
  noEffect,
  optional,
  type Settled,
  text,
} from '../row.ts';

export const NODE_KEYS = {
  server: bool('A registry server, which is the agent of its own node too.', {
    flag: 'server',
    shown: 'ServerMode',
  }),
  bootstrap: bool('One server is the whole cluster, and others do not come.', {
    flag: 'bootstrap',
  }),
  bootstrap_expect: int('How many servers there are. More than one need a Redis.', {
    flag: 'bootstrap-expect',
    rule: atLeast(0),
  }),
  datacenter: text('The data centre of this agent.', {
    default: 'dc1',
    flag: 'datacenter',
    rule: datacenter,
  }),
  node_name: text("The name of this node; the machine's, where none is given.", { flag: 'node' }),
  node_id: text('A UUID for this node; made and kept in data_dir, where none is given.', {
    flag: 'node-id',
    rule: (value) => value.toLowerCase(),
  }),
  node_meta: map('Pairs about this node, in its entry in the catalog.', {
    reloads: true,
    flag: 'node-meta',
    rule: nodeMeta,
  }),
  locality: {
    region: text(
      "The region that this node is in, in its entry in the catalog, as a later Consul's.",
    ),
    zone: text('The zone of that region.'),
  },
  data_dir: text('The folder to keep state in; -dev keeps nothing.', { flag: 'data-dir' }),
  pid_file: text('The file to write the process ID to.', { flag: 'pid-file', shown: 'PidFile' }),
  session_ttl_min: duration('The least TTL of a session; 0 is 10 s.', { shown: 'SessionTTLMin' }),
  leave_on_terminate: optional(
    bool('Whether SIGTERM takes the node out of the catalog; agents alone do, by default.'),
  ),
  skip_leave_on_interrupt: optional(
    bool('Whether SIGINT leaves the node in the catalog; servers do, by default.'),
  ),
  disable_update_check: bool('Nothing is ever asked whether there is a newer version.', {
    shown: 'DisableUpdateCheck',
    effect: 'moot',
  }),
  disable_anonymous_signature: bool('Nothing is ever sent to anybody.', {
    shown: 'DisableAnonymousSignature',
    effect: 'moot',
  }),
  disable_remote_exec: bool(
    'Whether this agent refuses what `exec` asks for; else it runs it as its own user, for whoever may fire the event `_rexec` and write below the key `_rexec`.',
    { default: true, shown: 'DisableRemoteExec' },
  ),
  ...noEffect('other data centres are not built yet', {
    primary_datacenter: text('', { rule: datacenter }),
    translate_wan_addrs: bool('', { shown: 'TranslateWANAddrs' }),
  }),
  ...noEffect('the ID is made by chance, and kept in data_dir', {
    disable_host_node_id: bool('', {
      default: true,
      flag: 'disable-host-node-id',
      shown: 'DisableHostNodeID',
    }),
  }),
  disable_coordinates: bool(
    'Measure no round trips to servers, and answer nothing of coordinates.',
    {
      shown: 'DisableCoordinates',
    },
  ),
  enable_debug: bool('Serve profiles of the process at /debug/pprof/ (operator:read).', {
    shown: 'EnableDebug',
  }),
};

type Values = Settled<typeof NODE_KEYS>;

export function nodeConfig(given: Values, { raw, host, problems, devMode }: Source) {
  const { server } = given;
  return {
    server,
    devMode,
    ...bootstrapConfig(given, problems),
    datacenter: given.datacenter,
    nodeName: nodeName((given.node_name || host.hostname()).trim(), problems),
    /** '' when the agent is to find one: the one it kept, or one by chance. */
    nodeId: given.node_id,
    nodeMeta: given.node_meta,
    measuresPlaces: !given.disable_coordinates,
    locality: { Region: given.locality.region, Zone: given.locality.zone },
    /** '' in dev mode, whatever a file says: nothing is kept then. */
    dataDir: devMode ? '' : dataDir(given.data_dir, { raw, host, problems, devMode }),
    pidFile: given.pid_file,
    sessionTtlMinMs: given.session_ttl_min,
    leaveOnTerminate: given.leave_on_terminate ?? !server,
    skipLeaveOnInterrupt: given.skip_leave_on_interrupt ?? server,
    enableDebug: given.enable_debug,
    disableRemoteExec: given.disable_remote_exec,
  };
}

function bootstrapConfig(given: Values, problems: Problems) {
  const { bootstrap, bootstrap_expect: expect, server } = given;
  if (bootstrap && !server) problems.refuse("'bootstrap = true' requires 'server = true'");
  if (expect > 0 && !server) problems.refuse("'bootstrap_expect > 0' requires 'server = true'");
  if (bootstrap && expect > 0) {
    problems.refuse("'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive");
  }
  if (expect === 2) {
    problems.warn('bootstrap_expect = 2: when one of two servers fails, there is no majority');
  } else if (expect > 2 && expect % 2 === 0) {
    problems.warn('bootstrap_expect is even: one server less stands as many failures');
  }
  return { bootstrap: bootstrap || expect === 1, bootstrapExpect: expect === 1 ? 0 : expect };
}

function datacenter(value: string, path: string, problems: Problems): string {
  const name = value.toLowerCase();
  if (name === '' && path === 'datacenter') problems.refuse('datacenter cannot be empty');
  else if (name !== '' && !/^[a-z0-9_-]+$/.test(name)) {
    problems.refuse(`${path} cannot be ${quote(name)}. Please use only [a-z0-9-_]`);
  }
  return name;
}

function nodeName(name: string, problems: Problems): string {
  if (name === '') problems.refuse('node_name cannot be empty');
  if (!/^[A-Za-z0-9-]+$/.test(name)) {
    problems.warn(
      `Node name ${quote(name)} will not be discoverable via DNS due to invalid characters. ` +
        'Valid characters include all alpha-numerics and dashes.',
    );
  } else if (name.length > 63) {
    problems.warn(
      `Node name ${quote(name)} will not be discoverable via DNS due to it being too long. ` +
        'Valid lengths are between 1 and 63 bytes.',
    );
  }
  return name;
}

function dataDir(folder: string, { host, problems }: Source): string {
  if (folder === '') problems.refuse('data_dir cannot be empty');
  else if (isFile(folder, host)) problems.refuse(`data_dir ${quote(folder)} is not a directory`);
  return folder;
}

function isFile(path: string, host: Source['host']): boolean {
  try {
    return !host.isFolder(path);
  } catch {
    // It isn't there yet, or cannot be looked at: whoever opens it will say so.
    return false;
  }
}

function nodeMeta(meta: StringMap, _path: string, problems: Problems): StringMap {
  const pairs = Object.entries(meta);
  if (pairs.length > MAX_META_PAIRS) {
    problems.refuse(
      `node_meta invalid: Node metadata cannot contain more than ${MAX_META_PAIRS} key/value pairs`,
    );
  }
  for (const [key, value] of pairs) {
    const fault = metaPairFault(key, value);
    if (fault !== undefined) problems.refuse(`node_meta invalid: ${fault}`);
  }
  return meta;
}

function quote(value: string): string {
  return JSON.stringify(value);
}
