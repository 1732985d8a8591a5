/** The little that is asked of a Docker daemon, with limits. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Docker from 'dockerode';
import { ProconsulError } from '../../../lib/errors.ts';
import type { DockerOptions } from '../options.ts';
import type { Container } from './container.ts';

/** The daemon answers these in milliseconds; one that takes longer hangs. */
const ANSWER_MS = 10_000;
/** Longer than any event; a stream without line ends must not fill the memory. */
const MAX_EVENT_CHARS = 1 << 20;

export interface DockerEvent {
  readonly containerId: string;
  /** The daemon's time, in seconds. */
  readonly time: number;
}

export interface DockerApi {
  /**
   * Tells of every change after `since`, of what the daemon still remembers, and then of all that
   * follow. The stream is open when this resolves, and ends or throws when the connection does.
   */
  events(since: number | undefined, signal: AbortSignal): Promise<AsyncIterable<DockerEvent>>;
  /** The ids of the containers that are up, or about to be. */
  list(signal: AbortSignal): Promise<readonly string[]>;
  /** Undefined when there is no such container. */
  inspect(id: string, signal: AbortSignal): Promise<Container | undefined>;
}

const UNIX = 'unix://';

/** Loaded only when it is needed: it is a fifth of a start, and most agents look at no container. */
function newDocker(options: Docker.DockerOptions): Docker {
  const Client = createRequire(import.meta.url)('dockerode') as typeof Docker;
  return new Client(options);
}

/** Makes a client; connects only when something is asked. */
export function dockerClient({ endpoint, tls }: Pick<DockerOptions, 'endpoint' | 'tls'>): Docker {
  if (endpoint.startsWith(UNIX)) return newDocker({ socketPath: endpoint.slice(UNIX.length) });
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^(tcp|https?):$/.test(url.protocol)) {
    const wanted = 'must begin with unix://, tcp://, http:// or https://';
    throw new ProconsulError('invalid', `docker.endpoint: ${JSON.stringify(endpoint)} ${wanted}`);
  }
  const { caFile, certFile, keyFile } = tls;
  const files = { ...file('ca', caFile), ...file('cert', certFile), ...file('key', keyFile) };
  const isTls = url.protocol === 'https:' || Object.keys(files).length > 0;
  return newDocker({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (isTls ? 2376 : 2375),
    protocol: isTls ? 'https' : 'http',
    ...files,
  });
}

function file(name: string, path: string): Record<string, Buffer> {
  if (path === '') return {};
  try {
    return { [name]: readFileSync(path) };
  } catch (cause) {
    throw new ProconsulError('invalid', `docker.tls: cannot read ${path}`, { cause });
  }
}

/**
 * Everything that may change what is registered. Not exec_*: a HEALTHCHECK makes three of those
 * at each look. Disconnect and connect change a container's address.
 */
const EVENTS = [
  'start',
  'die',
  'destroy',
  'pause',
  'unpause',
  'rename',
  'health_status',
  'connect',
  'disconnect',
];

export function dockerApi(docker: Docker): DockerApi {
  const limited = (signal: AbortSignal) =>
    AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  return {
    async events(since, signal) {
      // Only until it is open: events may be hours apart.
      const hangs = new AbortController();
      const timer = setTimeout(() => hangs.abort(), ANSWER_MS);
      try {
        const stream = await docker.getEvents({
          ...(since === undefined ? {} : { since }),
          filters: JSON.stringify({ type: ['container', 'network'], event: EVENTS }),
          abortSignal: AbortSignal.any([signal, hangs.signal]),
        } as Docker.GetEventsOptions);
        return readEvents(stream);
      } finally {
        clearTimeout(timer);
      }
    },
    async list(signal) {
      const containers = await docker.listContainers({
        filters: { status: ['running', 'paused', 'restarting'] },
        abortSignal: limited(signal),
      });
      return containers.map(({ Id }) => Id);
    },
    async inspect(id, signal) {
      try {
        const answer: unknown = await docker
          .getContainer(id)
          .inspect({ abortSignal: limited(signal) });
        return answer as Container;
      } catch (error) {
        if (statusCode(error) === 404) return undefined;
        throw error;
      }
    },
  };
}

function statusCode(error: unknown): unknown {
  return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}

/** One JSON object a line. */
async function* readEvents(stream: NodeJS.ReadableStream): AsyncGenerator<DockerEvent> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) {
      throw new ProconsulError('internal', 'an event of Docker does not end');
    }
    for (const line of lines) {
      const event = line.trim() === '' ? undefined : toEvent(JSON.parse(line));
      if (event !== undefined) yield event;
    }
  }
}

interface RawEvent {
  readonly Type?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: { readonly container?: string } };
}

/** A network's event names the container that came or went in an attribute. */
function toEvent({ Type, Actor, timeNano = 0 }: RawEvent): DockerEvent | undefined {
  const containerId = Type === 'network' ? Actor?.Attributes?.container : Actor?.ID;
  return containerId ? { containerId, time: timeNano / 1e9 } : undefined;
}
