/**
 * An API server of Kubernetes of a spec's own: lists by pages, watches with bookmarks, versions that are too old,
 * tokens that rotate, conflicts, and faults that a network has. @kubernetes/client-node reads it too, in a spec.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TestAuthority } from '../certificates.ts';
import { type Event, type KubeObject, Objects, RESOURCES, Refused } from './objects.ts';
import { selects } from './selectors.ts';

/** Which requests a token may send: the verbs of a resource. */
export type Rights = Readonly<Record<string, readonly string[]>>;

interface Asked {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly query: URLSearchParams;
}

interface Stream {
  readonly resource: string;
  readonly response: ServerResponse;
  readonly isSeen: (object: KubeObject) => boolean;
  readonly wantsBookmarks: boolean;
  readonly token: string | undefined;
}

const PATH =
  /^\/(?:api\/(v1)|apis\/([^/]+\/v1))(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/;
const running: ApiServer[] = [];

export async function stopApiServers(): Promise<void> {
  for (const server of running.splice(0)) await server.stop();
}

if (typeof afterEach === 'function') afterEach(stopApiServers);

export async function startApiServer(): Promise<ApiServer> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue();
  const server = new ApiServer(authority, createServer({ cert, key }));
  await server.back();
  running.push(server);
  return server;
}

export class ApiServer {
  readonly authority: TestAuthority;
  readonly objects = new Objects();
  /** Those that are known, with what they may. */
  readonly tokens = new Map<string, Rights | 'all'>([['t1', 'all']]);
  /** Each request as `GET /path?query`. */
  readonly requests: string[] = [];
  /** Writes that were taken. */
  writes = 0;
  /** So many requests are turned away with 429. */
  turnedAway = 0;
  /** Nothing comes out of any stream, and none is closed: as behind a network that lost its memory. */
  isMute = false;
  /** The same for those that watch by this token alone. */
  mutedToken = '';
  /** A webhook that changes what is written. */
  changes: ((object: KubeObject) => KubeObject) | undefined;
  /** Whatever comes to such a path is refused, whoever asks. */
  denied: RegExp | undefined;
  /** Each watch is told that its version is too old. */
  forgets = false;
  /** What is answered in place of each list. */
  page: object | undefined;
  port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #streams = new Set<Stream>();
  readonly #pages = new Map<string, readonly KubeObject[]>();

  constructor(authority: TestAuthority, server: Server) {
    this.authority = authority;
    this.#server = server;
    server.on('request', (request, response) => this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    this.objects.listeners.add((resource, event) => this.#tell(resource, event));
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get watches(): number {
    return this.#streams.size;
  }

  /** Refuses connections, and cuts those that there are. */
  async away(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** At the same port as before. */
  async back(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.away();
  }

  /** Ends all watches, as a server does after a while. */
  endWatches(): void {
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const { response } of streams) response.end();
  }

  /** Says to each watch how far it is. */
  bookmark(): void {
    for (const stream of this.#streams) {
      if (stream.wantsBookmarks) this.#bookmark(stream);
    }
  }

  #bookmark(stream: Stream): void {
    const { resource } = stream;
    const { group: apiVersion, kind } = RESOURCES[resource] ?? { group: '', kind: '' };
    const metadata = { resourceVersion: String(this.objects.version) };
    this.#line(stream, { type: 'BOOKMARK', object: { apiVersion, kind, metadata } });
  }

  #line(stream: Pick<Stream, 'response' | 'token'>, line: object): void {
    this.#lines(stream, `${JSON.stringify(line)}\n`);
  }

  #lines({ response, token }: Pick<Stream, 'response' | 'token'>, text: string): void {
    const isMute = this.isMute || (token !== undefined && token === this.mutedToken);
    if (!isMute && text !== '' && !response.writableEnded) response.write(text);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      try {
        this.#serve(request, response, Buffer.concat(parts).toString());
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { code, reason, message } = error;
        if (code === 429) response.setHeader('Retry-After', '1');
        send(response, code, statusOf(code, reason, message));
      }
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { method = 'GET', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    const asked = askedBy(url);
    if (this.denied?.test(url)) throw new Refused(403, 'Forbidden', `${url} is forbidden`);
    this.#admit(request, method, asked);
    if (method === 'GET' && asked.query.get('watch') === 'true') {
      this.#watch(asked, response, tokenOf(request));
      return;
    }
    if (method === 'GET') {
      const list = () => this.page ?? this.#list(asked);
      send(response, 200, asked.name === '' ? list() : this.#get(asked));
      return;
    }
    const done = this.#write(method, asked, body);
    this.writes++;
    send(response, method === 'POST' ? 201 : 200, done);
  }

  #get({ resource, namespace, name }: Asked): KubeObject {
    const found = this.objects.get(resource, namespace, name);
    if (found !== undefined) return found;
    throw new Refused(404, 'NotFound', `${resource} "${name}" not found`);
  }

  /** Whoever deletes may say which one he means. */
  #refuseOther({ resource, namespace, name }: Asked, body: string): void {
    const { preconditions = {} } = JSON.parse(body || '{}') as {
      preconditions?: { uid?: string; resourceVersion?: string };
    };
    const there = this.objects.get(resource, namespace, name)?.metadata;
    for (const key of ['uid', 'resourceVersion'] as const) {
      const meant = preconditions[key];
      if (there === undefined || meant === undefined || meant === there[key]) continue;
      throw new Refused(409, 'Conflict', `Precondition failed: ${key} in precondition: ${meant}`);
    }
  }

  #write(method: string, asked: Asked, body: string): object {
    const { resource, namespace, name } = asked;
    if (method === 'DELETE') {
      this.#refuseOther(asked, body);
      this.objects.delete(resource, namespace, name);
      return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
    }
    const object = JSON.parse(body) as KubeObject;
    const sent = { ...object, metadata: { ...object.metadata, namespace } };
    const given = this.changes?.(sent) ?? sent;
    if (object.kind !== RESOURCES[resource]?.kind) {
      throw new Refused(400, 'BadRequest', `the object's kind is ${object.kind}`);
    }
    if ((object.metadata.namespace ?? namespace) !== namespace) {
      throw new Refused(400, 'BadRequest', 'the namespace of the object does not match the path');
    }
    if (method === 'POST') return this.objects.create(resource, given);
    if (method !== 'PUT') throw new Refused(405, 'MethodNotAllowed', method);
    if (object.metadata.name !== name) throw new Refused(400, 'BadRequest', 'names differ');
    return this.objects.replace(resource, given);
  }

  #admit(request: IncomingMessage, method: string, { resource, name, query }: Asked): void {
    if (this.turnedAway > 0) {
      this.turnedAway--;
      throw new Refused(429, 'TooManyRequests', 'too many requests');
    }
    const token = tokenOf(request);
    const rights = token === undefined ? {} : this.tokens.get(token);
    if (rights === undefined) throw new Refused(401, 'Unauthorized', 'Unauthorized');
    if (rights === 'all') return;
    const lists = query.get('watch') === 'true' ? 'watch' : 'list';
    const reads = name === '' ? lists : 'get';
    const verb = { POST: 'create', PUT: 'update', DELETE: 'delete' }[method] ?? reads;
    if (rights[resource]?.includes(verb) === true) return;
    throw new Refused(403, 'Forbidden', `${resource} is forbidden: cannot ${verb} resource`);
  }

  #list({ resource, namespace, query }: Asked): object {
    const { group: apiVersion, kind } = RESOURCES[resource] ?? { group: '', kind: '' };
    const isSeen = seenBy(namespace, query);
    const limit = Number(query.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
    const [version = String(this.objects.version), from = '0'] =
      query.get('continue')?.split('.') ?? [];
    const page = `${resource} ${version}`;
    if (query.has('continue') && Number(version) < this.objects.compacted) {
      throw new Refused(410, 'Expired', 'The provided continue parameter is too old');
    }
    if (!query.has('continue')) this.#pages.set(page, this.objects.list(resource).filter(isSeen));
    const all = this.#pages.get(page) ?? [];
    const end = Number(from) + limit;
    const rest = end < all.length;
    return {
      kind: `${kind}List`,
      apiVersion,
      metadata: {
        resourceVersion: version,
        ...(rest && { continue: `${version}.${end}`, remainingItemCount: all.length - end }),
      },
      items: all.slice(Number(from), end),
    };
  }

  #watch(
    { resource, namespace, query }: Asked,
    response: ServerResponse,
    token: string | undefined,
  ): void {
    const isSeen = seenBy(namespace, query);
    const from = Number(query.get('resourceVersion') ?? 0);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    if (this.forgets || (from > 0 && from < this.objects.compacted)) {
      const why = `too old resource version: ${from} (${this.objects.compacted})`;
      this.#line({ response, token }, { type: 'ERROR', object: statusOf(410, 'Expired', why) });
      response.end();
      return;
    }
    const wantsBookmarks = query.get('allowWatchBookmarks') === 'true';
    const stream = { resource, response, isSeen, wantsBookmarks, token };
    // A version that is still to come is waited for in silence.
    const past =
      from === 0
        ? this.objects
            .list(resource)
            .map((object): Event => ({ type: 'ADDED', version: from, object }))
        : this.objects.since(resource, from);
    this.#lines(stream, past.map((event) => lineOf(stream, event)).join(''));
    if (from <= this.objects.version) this.#streams.add(stream);
    const seconds = Number(query.get('timeoutSeconds') ?? 1800);
    const timer = setTimeout(() => {
      if (wantsBookmarks && from <= this.objects.version) this.#bookmark(stream);
      response.end();
    }, seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#streams.delete(stream);
    });
  }

  #tell(resource: string, event: Event): void {
    for (const stream of this.#streams) {
      if (stream.resource === resource) this.#lines(stream, lineOf(stream, event));
    }
  }
}

/** What a watch is told of an event; '' for nothing. One that is no longer selected is gone, for this watch. */
function lineOf({ isSeen }: Stream, { type, object, before }: Event): string {
  const [was, is] = [before !== undefined && isSeen(before), isSeen(object)];
  if (type === 'DELETED') return was ? shown(type, object) : '';
  if (is) return shown(type === 'MODIFIED' && !was ? 'ADDED' : type, object);
  return was ? shown('DELETED', object) : '';
}

/** As an API server, it makes the text of an object once for all that watch. */
const texts = new WeakMap<KubeObject, string>();

function shown(type: Event['type'], object: KubeObject): string {
  const text = texts.get(object) ?? JSON.stringify(object);
  texts.set(object, text);
  return `{"type":"${type}","object":${text}}\n`;
}

function tokenOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
}

function seenBy(namespace: string, query: URLSearchParams): (object: KubeObject) => boolean {
  let isSelected: (object: KubeObject) => boolean;
  try {
    isSelected = selects(query.get('labelSelector') ?? '', query.get('fieldSelector') ?? '');
  } catch (error) {
    throw new Refused(400, 'BadRequest', (error as Error).message);
  }
  return (object) =>
    (namespace === '' || object.metadata.namespace === namespace) && isSelected(object);
}

function askedBy(target: string): Asked {
  const { pathname, searchParams: query } = new URL(target, 'https://api');
  const [, core, group = core, namespace = '', resource = '', name = ''] =
    PATH.exec(pathname) ?? [];
  if (RESOURCES[resource]?.group !== group) throw new Refused(404, 'NotFound', 'no such resource');
  return { resource, namespace, name: decodeURIComponent(name), query };
}

function statusOf(code: number, reason: string, message: string): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
