/** A connection that sends exactly the chunks it is given, and keeps every byte that comes back. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { until } from '../until.ts';

export interface RawAnswer {
  /** Status line and headers, as they came. */
  readonly head: string;
  readonly body: Buffer;
}

const open = new Set<RawClient>();

/** For the root hook: no connection outlives its spec. */
export function closeRawClients(): void {
  for (const client of open) client.close();
}

export class RawClient {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended = false;

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  /** The same, under TLS; rejects with why it did not come about. */
  static async connectTls(port: number, options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ...options });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  static of(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    // What a reset connection is to a spec, `ended` says.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
    });
    open.add(this);
  }

  /** Goes out as one chunk, for nothing else is under way. */
  send(text: string | Buffer): void {
    this.#socket.write(text);
  }

  /** The next answer, which has a Content-Length. */
  async answer(): Promise<RawAnswer> {
    await until(
      () => this.#whole() !== undefined,
      () => `an answer; there is ${JSON.stringify(this.#bytes.toString().slice(0, 300))}`,
    );
    const { head, end } = this.#whole() as { head: string; end: number };
    const body = this.#bytes.subarray(head.length, end);
    this.#bytes = this.#bytes.subarray(end);
    return { head, body };
  }

  async ask(text: string): Promise<RawAnswer> {
    this.send(text);
    return await this.answer();
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Goes without a goodbye. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Says that nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  async ended(): Promise<void> {
    await until(() => this.#ended);
  }

  /** How much has come that no `answer` has taken. */
  get unread(): number {
    return this.#bytes.length;
  }

  /** How much waits to be sent, because the other side does not read. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  /** All that has come and that no `answer` has taken. */
  rest(): string {
    return this.#bytes.toString('latin1');
  }

  close(): void {
    open.delete(this);
    this.#socket.destroy();
  }

  #whole(): { head: string; end: number } | undefined {
    const at = this.#bytes.indexOf('\r\n\r\n');
    if (at < 0) return undefined;
    const head = this.#bytes.toString('latin1', 0, at + 4);
    const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? Number.NaN);
    const end = head.length + length;
    return end <= this.#bytes.length ? { head, end } : undefined;
  }
}

/** A request as curl sends it. */
export function getText(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Host: 'localhost', Accept: '*/*', ...headers });
  return `GET ${path} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
}

/** The same at any second. */
export function withoutDate(head: string): string {
  return head.replace(/^Date: .*\r\n/m, 'Date: then\r\n');
}
