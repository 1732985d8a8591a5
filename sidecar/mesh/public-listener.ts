/** Lets calls to the service behind this proxy in: by mutual TLS, and from those who may. */
import { constants } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { hostPort } from '../../lib/ip.ts';
import { type Place, portOf } from '../../lib/listening.ts';
import type { AccessLine } from '../access-log.ts';
import type { Buffers } from '../http/buffers.ts';
import { LastGone } from '../listening.ts';
import { relay, reset } from '../relay.ts';
import type { Sockets } from '../sockets.ts';
import { Doorstep } from './doorstep.ts';
import type { Credentials, Identity } from './identity.ts';
import type { Permissions } from './permissions.ts';
import type { PublicRequests } from './public-requests.ts';
import { Shares } from './shares.ts';
import type { Verdict } from './verdict.ts';

export interface PublicListenerOptions {
  readonly at: Place;
  readonly sockets: Sockets;
  /** The program behind it. */
  readonly to: Place;
  readonly service: string;
  readonly identity: Pick<Identity, 'credentials' | 'onChange'>;
  readonly permissions: Pick<Permissions, 'isAllowed' | 'verdictOn' | 'verdictAnew' | 'onChange'>;
  /** Where the program speaks HTTP: what its callers say is taken request by request. */
  readonly requests?: PublicRequests | undefined;
  readonly clock: Clock;
  readonly rules: PublicRules;
  readonly buffers: Buffers;
  readonly log: (line: AccessLine) => void;
}

export interface PublicRules {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly maxConnections: number;
}

export interface PublicCounts {
  calls: number;
  /** Whom no intention lets in. */
  denied: number;
  /** By a change of the intentions, while they went on. */
  cut: number;
  failed: number;
}

const HANDSHAKE_MS = 5000;
/** Whose handshake goes on: a machine does some thousand in a second. */
const MAX_HANDSHAKES = 1024;
/** Callers that are judged at once: each may cost a question to the agent. */
const JUDGED_AT_ONCE = 16;
/** Connections by HTTP of those who may nothing: each of their requests is answered so, and takes no caller's place. */
const MAX_DENIED = 64;

export class PublicListener {
  readonly #options: PublicListenerOptions;
  readonly #server: Server;
  /** Those that are let in, by who called. */
  readonly #open = new Map<TLSSocket, string>();
  readonly #doorstep = new Doorstep(MAX_HANDSHAKES, () => this.#oneGone());
  readonly counts: PublicCounts = { calls: 0, denied: 0, cut: 0, failed: 0 };
  readonly #lastGone = new LastGone();
  readonly #places: Shares;
  /** Of those who may nothing. */
  readonly #denied = new Shares(MAX_DENIED);
  readonly #following: readonly Cancel[];

  constructor(options: PublicListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_MS,
      allowHalfOpen: true,
      noDelay: true,
      // A session that is taken up again would skip the look at the certificate and at the roots of today.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
      ...contextOf(options.identity.credentials),
    });
    this.#places = new Shares(options.rules.maxConnections);
    this.#server.maxConnections = options.rules.maxConnections + MAX_DENIED + MAX_HANDSHAKES;
    this.#server.on('connection', (raw) => this.#doorstep.came(raw));
    this.#server.on('secureConnection', (socket) => void this.#accepted(socket));
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
    this.#following = [
      options.identity.onChange((now) => this.#server.setSecureContext(contextOf(now))),
      options.permissions.onChange(() => void this.#judgeAgain()),
    ];
  }

  get port(): number {
    return portOf(this.#server);
  }

  start(): Promise<void> {
    const { at, sockets } = this.#options;
    return sockets.listen(this.#server, at);
  }

  async drain(ms: number): Promise<void> {
    if (ms > 0) await this.#options.sockets.close(this.#server);
    else this.#server.close();
    this.#options.requests?.end();
    // Whoever was taken in is a caller too, before it is known who it is.
    if (!this.#isEmpty && ms > 0) await this.#lastGone.within(this.#options.clock, ms);
    for (const socket of this.#open.keys()) reset(socket);
    this.#doorstep.clear();
    for (const cancel of this.#following) cancel();
    this.#options.requests?.program.stop();
  }

  get #isEmpty(): boolean {
    return this.#open.size === 0 && this.#doorstep.isEmpty;
  }

  #oneGone(): void {
    if (this.#isEmpty) this.#lastGone.now();
  }

  async #accepted(caller: TLSSocket): Promise<void> {
    caller.on('error', () => undefined);
    this.#doorstep.left(caller);
    const uri = uriOf(caller);
    const { permissions, clock, rules, log, service, requests } = this.#options;
    const begun = clock.monotonic();
    this.counts.calls++;
    const from = hostPort(caller.remoteAddress ?? '', caller.remotePort ?? 0);
    const done = (more: Pick<AccessLine, 'host' | 'sent' | 'received' | 'fault'>) =>
      log({
        ...{ upstream: `public ${service}`, from: `${uri} ${from}`, tries: 1 },
        ms: Math.round(clock.monotonic() - begun),
        ...more,
      });
    const place = this.#places.take(uri);
    if (place === undefined) {
      this.counts.failed++;
      reset(caller);
      done({ host: '', sent: 0, received: 0, fault: 'too many connections' });
      return;
    }
    // In there before it is asked: a change that comes between the answer and the first byte cuts it too.
    this.#open.set(caller, uri);
    const places = [place];
    try {
      const isNamed = uri !== '' && !caller.isSessionReused();
      const takesRequests =
        isNamed &&
        requests !== undefined &&
        this.#takes(uri, places, await permissions.verdictOn(uri));
      if (takesRequests) {
        if (caller.destroyed) return;
        const isGone = new Promise((resolve) => caller.once('close', resolve));
        requests.accept(caller, uri);
        await isGone;
        return;
      }
      const isDenied = requests !== undefined || !isNamed || !(await permissions.isAllowed(uri));
      if (isDenied) {
        this.counts.denied++;
        reset(caller);
        done({ host: '', sent: 0, received: 0, fault: 'denied' });
        return;
      }
      if (caller.destroyed) return;
      const local = await this.#local();
      if (local === undefined) {
        this.counts.failed++;
        reset(caller);
        done({ host: '', sent: 0, received: 0, fault: 'the program does not take it' });
        return;
      }
      const { host, port } = this.#options.to;
      const buffered = this.#options.buffers.of(caller, uri);
      const relayed = await relay(caller, local, rules.idleMs, buffered);
      done({ host: hostPort(host, port), ...relayed });
    } finally {
      this.#open.delete(caller);
      for (const give of places) give();
      this.#oneGone();
    }
  }

  /** Who may nothing is told so in another place than a caller's. */
  #takes(uri: string, places: (() => void)[], verdict: Verdict): boolean {
    if (verdict !== false) return true;
    const denied = this.#denied.take(uri);
    for (const give of places) give();
    if (denied !== undefined) places.push(denied);
    return denied !== undefined;
  }

  /** Whoever may not call any more is cut, whatever is under way. */
  async #judgeAgain(): Promise<void> {
    const callers = new Set(this.#open.values()).values();
    const judging = async () => {
      for (const uri of callers) await this.#judge(uri);
    };
    // None waits long for another's: while it does, its bytes flow.
    await Promise.all(Array.from({ length: JUDGED_AT_ONCE }, judging));
  }

  async #judge(uri: string): Promise<void> {
    const { permissions, requests } = this.#options;
    const judged = requests?.judge(uri) ?? permissions.verdictAnew(uri);
    if ((await judged) === true) return;
    for (const [socket, whose] of this.#open) {
      if (whose !== uri) continue;
      this.counts.cut++;
      reset(socket);
    }
  }

  #local(): Promise<Socket | undefined> {
    const { to, clock, rules } = this.#options;
    return new Promise((resolve) => {
      const socket = connect({ ...to, allowHalfOpen: true, noDelay: true });
      const failed = () => {
        cancel();
        socket.destroy();
        resolve(undefined);
      };
      const cancel = clock.after(rules.connectMs, failed);
      socket.once('error', failed);
      socket.once('connect', () => {
        cancel();
        socket.off('error', failed);
        resolve(socket);
      });
    });
  }
}

/** Nobody can be let in before there is a certificate: then no cipher is spoken at all. */
function contextOf(credentials: Credentials | undefined) {
  return credentials?.called ?? { minVersion: 'TLSv1.2' as const };
}

/** The one name in the certificate; '' where it has others, or is not written as Node shows a plain one. */
function uriOf(socket: TLSSocket): string {
  const { subjectaltname = '' } = socket.getPeerCertificate();
  const [, uri = ''] = /^URI:(spiffe:\/\/[^,"\\\s]+)$/.exec(subjectaltname) ?? [];
  return uri;
}
