/** Who this agent is: node, datacenter, metadata, data folder. */
import type { StringMap } from '../model.ts';
import type { ConfigHost } from './config-host.ts';
import type { RawConfig } from './keys.ts';
import type { Problems } from './problems.ts';

const MAX_META_PAIRS = 64;
const MAX_META_KEY_LENGTH = 128;
const MAX_META_VALUE_LENGTH = 512;
const META_KEY = /^[a-zA-Z0-9_-]+$/;

export interface NodeReading {
  readonly raw: RawConfig;
  readonly host: ConfigHost;
  readonly problems: Problems;
  readonly devMode: boolean;
}

export function resolveNode({ raw, host, problems, devMode }: NodeReading) {
  const datacenter = (raw.datacenter ?? 'dc1').toLowerCase();
  if (datacenter === '') problems.refuse('datacenter cannot be empty');
  else if (!/^[a-z0-9_-]+$/.test(datacenter)) {
    problems.refuse(`datacenter cannot be ${quote(datacenter)}. Please use only [a-z0-9-_]`);
  }
  const primary = raw.primary_datacenter || raw.acl_datacenter || datacenter;
  const nodeName = resolveNodeName(raw.node_name?.trim() || host.hostname(), problems);
  refuseBadMeta(raw.node_meta ?? {}, problems);
  return {
    datacenter,
    primaryDatacenter: primary.toLowerCase(),
    nodeName,
    nodeId: (raw.node_id ?? '').toLowerCase(),
    disableHostNodeId: raw.disable_host_node_id ?? true,
    nodeMeta: raw.node_meta ?? {},
    dataDir: resolveDataDir({ raw, host, problems, devMode }),
    pidFile: raw.pid_file ?? '',
  };
}

function resolveNodeName(name: string, problems: Problems): string {
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

function resolveDataDir({ raw, host, problems, devMode }: NodeReading): string {
  const folder = raw.data_dir ?? '';
  if (devMode) return '';
  if (folder === '') problems.refuse('data_dir cannot be empty');
  else if (exists(host, folder) === 'a file') {
    problems.refuse(`data_dir ${quote(folder)} is not a directory`);
  }
  return folder;
}

function exists(host: ConfigHost, path: string): 'a folder' | 'a file' | 'nothing' {
  try {
    return host.isFolder(path) ? 'a folder' : 'a file';
  } catch {
    // It isn't there yet, or cannot be looked at: whoever opens it will say so.
    return 'nothing';
  }
}

function refuseBadMeta(meta: StringMap, problems: Problems): void {
  const pairs = Object.entries(meta);
  if (pairs.length > MAX_META_PAIRS) {
    problems.refuse(
      `node_meta invalid: Node metadata cannot contain more than ${MAX_META_PAIRS} key/value pairs`,
    );
  }
  for (const [key, value] of pairs) {
    const fault = metaFault(key, value);
    if (fault === undefined) continue;
    problems.refuse(
      `node_meta invalid: Couldn't load metadata pair ('${key}', '${value}'): ${fault}`,
    );
  }
}

/** What is wrong with a pair of metadata, in Consul's words. */
export function metaFault(key: string, value: string): string | undefined {
  if (key === '') return 'Key cannot be blank';
  if (!META_KEY.test(key)) return 'Key contains invalid characters';
  if (key.length > MAX_META_KEY_LENGTH) {
    return `Key is too long (limit: ${MAX_META_KEY_LENGTH} characters)`;
  }
  if (key.startsWith('consul-')) return "Key prefix 'consul-' is reserved for internal use";
  if (value.length > MAX_META_VALUE_LENGTH) {
    return `Value is too long (limit: ${MAX_META_VALUE_LENGTH} characters)`;
  }
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
