import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const running: Server[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An HTTP server on a free port of this machine, or the one given, which ends with the spec. */
export async function serveHttp(
  listener: RequestListener,
  at: { readonly ip?: string; readonly port?: number } = {},
): Promise<{ readonly port: number; readonly host: string; readonly server: Server }> {
  const server = createServer(listener);
  running.push(server);
  const { ip = '127.0.0.1' } = at;
  await new Promise<void>((resolve) => server.listen(at.port ?? 0, ip, resolve));
  const { port } = server.address() as AddressInfo;
  return { port, host: `${ip}:${port}`, server };
}
