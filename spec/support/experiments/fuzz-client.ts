import { connect, type Socket } from 'node:net';

/** A server that says nothing for as long hangs. */
const ANSWER_TIMEOUT_MS = 20_000;
export const NO_ANSWER_IN_TIME = 'no answer in time';

export interface FuzzAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const NO_ANSWER: FuzzAnswer = { status: 0, head: '', body: '' };

/** Sends whatever bytes it is given, one request after another on one connection while it lasts. */
export class FuzzClient {
  readonly #open: () => Socket;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #hasBody = true;
  #settle: ((answer: FuzzAnswer) => void) | undefined;

  /** A port of this machine, or how a connection of another kind is opened. */
  constructor(to: number | (() => Socket)) {
    this.#open = typeof to === 'number' ? () => connect(to, '127.0.0.1') : to;
  }

  /** The answer to one request; one to a HEAD has no body. Rejects when there is none in time. */
  async ask(bytes: string | Buffer, isHead = false): Promise<FuzzAnswer> {
    const socket = this.#socket ?? (await this.#connect());
    this.#hasBody = !isHead;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(NO_ANSWER_IN_TIME)), ANSWER_TIMEOUT_MS);
      this.#settle = (answer) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(answer);
      };
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      this.#look();
    });
  }

  /** Sends more of a request whose answer may not have come yet. */
  write(bytes: string | Buffer): boolean {
    return this.#socket?.write(bytes) === true;
  }

  /** Ends the connection at once; a request on it breaks off. */
  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#settle?.(NO_ANSWER);
  }

  async #connect(): Promise<Socket> {
    const socket = this.#open().setNoDelay(true);
    this.#received = Buffer.alloc(0);
    socket.on('data', (part) => {
      this.#received = Buffer.concat([this.#received, part]);
      this.#look();
    });
    const gone = () => {
      // One that was given up earlier has nothing to say about the request under way.
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#settle?.(NO_ANSWER);
    };
    socket.on('error', gone).on('close', gone);
    await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
    this.#socket = socket;
    return socket;
  }

  #look(): void {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0 || this.#settle === undefined) return;
    const head = this.#received.subarray(0, end).toString('latin1');
    if (head.startsWith('HTTP/1.1 100')) {
      this.#received = this.#received.subarray(end + 4);
      this.#look();
      return;
    }
    const start = end + 4;
    const length = this.#hasBody ? lengthOf(head, this.#received.subarray(start)) : 0;
    if (length === undefined || this.#received.length < start + length) return;
    const body = this.#received.subarray(start, start + length).toString();
    this.#received = this.#received.subarray(start + length);
    if (/^connection: close/im.test(head)) this.#socket = undefined;
    this.#settle({ status: Number(head.slice(9, 12)), head, body });
  }
}

/** Of the body, with the sizes of its chunks if it comes in such; undefined until the last has come. */
function lengthOf(head: string, bytes: Buffer): number | undefined {
  if (!/^transfer-encoding: chunked/im.test(head)) {
    return Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  }
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    at = lineEnd + 2 + size + 2;
    if (size === 0) return at;
  }
}
