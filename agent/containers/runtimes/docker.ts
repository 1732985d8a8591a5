/** Docker, by the six calls of its API that are needed. */
import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../../../lib/errors.ts';
import type { DockerOptions } from '../options.ts';
import type { ContainerEvent, ContainerRuntime, ExecCommand } from '../runtime.ts';
import { DockerConnection } from './docker-connection.ts';
import { type DockerContainer, fromDocker } from './docker-container.ts';

/** Longer than any event; a stream without line ends must not fill the memory. */
const MAX_EVENT_CHARS = 1 << 20;
/** Docker's own rule for names; ids are within it. Nothing that a path could be made of. */
const CONTAINER = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
/** Of each part of an output: a byte that tells its stream, three zeros, its length. */
const FRAME_HEAD_BYTES = 8;

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

export class Docker implements ContainerRuntime {
  readonly name = 'docker';
  readonly #connection: DockerConnection;

  /** Connects only when something is asked. Throws 'invalid' for options that name no daemon. */
  constructor(options: Pick<DockerOptions, 'endpoint' | 'tls'>) {
    this.#connection = new DockerConnection(options);
  }

  async events(since: number | undefined, signal: AbortSignal) {
    const filters = JSON.stringify({ type: ['container', 'network'], event: EVENTS });
    const query = new URLSearchParams({
      filters,
      ...(since !== undefined && { since: `${since}` }),
    });
    const path = `/events?${query}`;
    return readEvents(await this.#connection.stream({ method: 'GET', path, signal }));
  }

  async list(signal: AbortSignal): Promise<readonly string[]> {
    const filters = JSON.stringify({ status: ['running', 'paused', 'restarting'] });
    const path = `/containers/json?${new URLSearchParams({ filters })}`;
    const { json } = await this.#connection.ask({ method: 'GET', path, signal });
    if (!Array.isArray(json)) throw new ProconsulError('rejected', 'Docker lists no containers');
    const ids: unknown[] = json.map((each: { readonly Id?: unknown } | null) => each?.Id);
    return ids.filter((id) => typeof id === 'string');
  }

  async inspect(id: string, signal: AbortSignal) {
    const path = `/containers/${encodeURIComponent(id)}/json`;
    const { status, json } = await this.#connection.ask({ method: 'GET', path, signal });
    return status === 404 ? undefined : fromDocker(json as DockerContainer);
  }

  /** Docker has no way to end a command: told to, this settles, and the command goes on. */
  async exec({ containerId, args, onOutput }: ExecCommand, signal: AbortSignal) {
    if (!CONTAINER.test(containerId)) {
      throw new ProconsulError('invalid', `Invalid container id ${JSON.stringify(containerId)}`);
    }
    const method = 'POST';
    const body = { Cmd: args, AttachStdout: true, AttachStderr: true };
    const path = `/containers/${containerId}/exec`;
    const made = await this.#connection.ask({ method, path, body, signal });
    if (made.status === 404) {
      throw new ProconsulError('rejected', `No such container: ${containerId}`);
    }
    const exec = `/exec/${(made.json as { readonly Id: string }).Id}`;
    const start = { method, path: `${exec}/start`, body: { Detach: false }, signal } as const;
    await readFrames(await this.#connection.stream(start), onOutput);
    const ended = await this.#connection.ask({ method: 'GET', path: `${exec}/json`, signal });
    return (ended.json as { readonly ExitCode: number | null }).ExitCode;
  }
}

/** One JSON object a line. */
async function* readEvents(stream: IncomingMessage): AsyncGenerator<ContainerEvent> {
  let rest = '';
  for await (const part of stream.setEncoding('utf8')) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) {
      throw new ProconsulError('internal', 'an event of Docker does not end');
    }
    for (const line of lines) {
      const event = line.trim() === '' ? undefined : toEvent(JSON.parse(line) ?? {});
      if (event !== undefined) yield event;
    }
  }
}

interface DockerEvent {
  readonly Type?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: { readonly container?: string } };
}

/** A network's event names the container that came or went in an attribute. */
function toEvent({ Type, Actor, timeNano = 0 }: DockerEvent): ContainerEvent | undefined {
  const containerId = Type === 'network' ? Actor?.Attributes?.container : Actor?.ID;
  if (typeof containerId !== 'string' || containerId === '') return undefined;
  return { containerId, time: timeNano / 1e9 };
}

/** Both outputs of a command come in one stream, in frames; however they are cut into parts. */
async function readFrames(
  stream: IncomingMessage,
  onOutput: (part: Buffer) => void,
): Promise<void> {
  let head = Buffer.alloc(0);
  let left = 0;
  for await (const part of stream) {
    let rest = part as Buffer;
    while (rest.length > 0) {
      if (left > 0) {
        const payload = rest.subarray(0, left);
        left -= payload.length;
        rest = rest.subarray(payload.length);
        onOutput(payload);
        continue;
      }
      const missing = FRAME_HEAD_BYTES - head.length;
      head = Buffer.concat([head, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (head.length < FRAME_HEAD_BYTES) break;
      left = head.readUInt32BE(4);
      head = Buffer.alloc(0);
    }
  }
}
