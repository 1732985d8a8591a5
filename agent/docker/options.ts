/** The agent's `docker { … }` block. */
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { splitTags } from './tags.ts';

/** When an ended container's services are removed: registrator's two modes, and never. */
export type DeregisterMode = 'always' | 'on-success' | 'never';

export interface DockerOptions {
  /** unix:///path, tcp://host:port, http://host:port or https://host:port. */
  readonly host: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The first part of the ids of services. */
  readonly hostname: string;
  /** Where this node is reached. */
  readonly address: string;
  /** Whether `address` was given (`ip`), and so goes before the address that a port is bound to. */
  readonly forceAddress: boolean;
  readonly internal: boolean;
  readonly explicit: boolean;
  readonly optIn: boolean;
  readonly useIpFromLabel: string;
  readonly tags: readonly string[];
  readonly deregister: DeregisterMode;
  readonly cleanup: boolean;
  /** How often everything is compared, even though no event said anything. */
  readonly resyncMs: number;
  /** How long a container that ended is waited for, so that a restart moves nothing. */
  readonly deregisterDelayMs: number;
}

export interface Surroundings {
  readonly hostname: string;
  readonly address: string;
}

export const DEFAULT_DOCKER_HOST = 'unix:///var/run/docker.sock';

/** Events tell of every change at once; this finds only what none told of. */
const DEFAULT_RESYNC_MS = 60_000;
/** A restart takes some 300 ms when the process ends at once. */
const DEFAULT_DEREGISTER_DELAY_MS = 1000;

const KEYS = new Set([
  'enabled',
  'host',
  'ca_file',
  'cert_file',
  'key_file',
  'hostname',
  'ip',
  'internal',
  'explicit',
  'opt_in',
  'use_ip_from_label',
  'tags',
  'deregister',
  'cleanup',
  'resync',
  'deregister_delay',
]);

/** Reads the block, or throws what is wrong with it. HCL makes a list of one out of a block. */
export function parseDockerOptions(block: unknown, around: Surroundings): DockerOptions {
  const fields = fieldsOf(block);
  for (const key of fields.keys()) {
    if (!KEYS.has(key)) throw invalid(`unknown option ${JSON.stringify(key)}`);
  }
  const ip = text(fields, 'ip');
  return {
    host: text(fields, 'host') || DEFAULT_DOCKER_HOST,
    caFile: text(fields, 'ca_file'),
    certFile: text(fields, 'cert_file'),
    keyFile: text(fields, 'key_file'),
    hostname: text(fields, 'hostname') || around.hostname,
    address: ip || around.address,
    forceAddress: ip !== '',
    internal: flag(fields, 'internal'),
    explicit: flag(fields, 'explicit'),
    optIn: flag(fields, 'opt_in'),
    useIpFromLabel: text(fields, 'use_ip_from_label'),
    tags: tagList(fields),
    deregister: deregisterMode(fields),
    cleanup: flag(fields, 'cleanup'),
    // Registrator's 0 is never; there is no reason to do without here, for equal writes move nothing.
    resyncMs: time(fields, 'resync') || DEFAULT_RESYNC_MS,
    deregisterDelayMs: time(fields, 'deregister_delay') ?? DEFAULT_DEREGISTER_DELAY_MS,
  };
}

type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(block: unknown): Fields {
  const only = Array.isArray(block) && block.length === 1 ? block[0] : block;
  if (only === undefined || only === null) return new Map();
  if (typeof only !== 'object' || Array.isArray(only)) throw invalid('must be a block');
  return new Map(Object.entries(only));
}

function text(fields: Fields, key: string): string {
  const value = fields.get(key) ?? '';
  if (typeof value !== 'string') throw invalid(`${key} must be a string`);
  return value;
}

function flag(fields: Fields, key: string): boolean {
  const value = fields.get(key) ?? false;
  if (typeof value !== 'boolean') throw invalid(`${key} must be true or false`);
  return value;
}

function tagList(fields: Fields): string[] {
  const value = fields.get('tags') ?? '';
  if (typeof value === 'string') return splitTags(value);
  if (Array.isArray(value) && value.every((tag) => typeof tag === 'string')) return value;
  throw invalid('tags must be a string or a list of strings');
}

function deregisterMode(fields: Fields): DeregisterMode {
  const value = text(fields, 'deregister') || 'always';
  if (value === 'always' || value === 'on-success' || value === 'never') return value;
  throw invalid('deregister must be "always", "on-success" or "never"');
}

/** A duration, or a number of seconds as registrator takes it. */
function time(fields: Fields, key: string): number | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  const ns = typeof value === 'number' ? value * 1e9 : parseDuration(String(value));
  if (ns === undefined || !(ns >= 0)) throw invalid(`${key} must be a duration, such as "30s"`);
  return ns / NS_PER_MS;
}

function invalid(what: string): ProconsulError {
  return new ProconsulError('invalid', `docker: ${what}`);
}
