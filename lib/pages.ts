/** A few pages for operators and their probes, at a port of their own. Nothing can be changed there. */
import { createServer, type Server } from 'node:http';
import { listen, type Place, portOf } from './listening.ts';

const MAX_CONNECTIONS = 64;
const MAX_HEAD_BYTES = 8 * 1024;
const HEAD_MS = 5000;

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export const PLAIN = 'text/plain';

export class Pages {
  readonly #at: Place;
  readonly #server: Server;

  /** `page` answers undefined for a path that has none. */
  constructor(at: Place, paths: string, page: (path: string) => Page | undefined) {
    this.#at = at;
    const limits = {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_MS,
      requestTimeout: HEAD_MS,
    };
    const missing = { status: 404, type: PLAIN, text: `${paths}\n` };
    this.#server = createServer(limits, (request, response) => {
      const [path = ''] = (request.url ?? '').split('?', 1);
      const { status, type, text } = request.method === 'GET' ? (page(path) ?? missing) : NO_METHOD;
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(text),
      });
      response.end(text);
      request.resume();
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Rejects with a ProconsulError where the address cannot be had. */
  start(begin: typeof listen = listen): Promise<void> {
    return begin(this.#server, this.#at);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const NO_METHOD: Page = { status: 405, type: PLAIN, text: 'method not allowed\n' };
