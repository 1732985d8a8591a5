/** An HTTPS server of someone who knows people, which answers as a spec says and keeps what it is asked. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TestAuthority } from '../certificates.ts';

const running: Server[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

export interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Never answers. */
  readonly silent?: true;
}

export interface People {
  readonly url: string;
  readonly ca: string;
  readonly asked: Asked[];
  /** By path; others are not found. */
  readonly says: Map<string, Said | (() => Said)>;
}

export async function startPeople(): Promise<People> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ names: ['localhost'] });
  const asked: Asked[] = [];
  const says: People['says'] = new Map();
  const server = createServer({ cert, key }, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { method = '', url: path = '' } = request;
    const authorization = request.headers.authorization ?? '';
    asked.push({ method, path, authorization, body: Buffer.concat(parts).toString() });
    const set = says.get(path) ?? { status: 404 };
    const { status = 200, headers = {}, json, silent } = typeof set === 'function' ? set() : set;
    if (silent === true) return;
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(json === undefined ? '' : JSON.stringify(json));
  });
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, ca: authority.pair.cert, asked, says };
}
