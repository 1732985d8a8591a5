/** Programs behind a proxy, each by its name; whatever a spec starts ends with it. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface Backend {
  readonly name: string;
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  /** Connections that were ever made. */
  readonly taken: () => number;
  /** As when it is killed: nobody is told anything but by the kernel. */
  readonly kill: () => Promise<void>;
}

const running = new Set<Backend>();

export async function stopBackends(): Promise<void> {
  await Promise.all([...running].map((backend) => backend.kill()));
}

if (typeof afterEach === 'function') afterEach(stopBackends);

/** What it does with a connection; without it says its name and a line end, and sends back what comes. */
type Serve = (socket: Socket) => void;

export async function startBackend(name: string, serve: Serve = echo(name)): Promise<Backend> {
  const sockets = new Set<Socket>();
  let taken = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    taken++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const backend: Backend = {
    name,
    port: (server.address() as AddressInfo).port,
    sockets,
    taken: () => taken,
    kill: async () => {
      running.delete(backend);
      for (const socket of sockets) socket.resetAndDestroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  running.add(backend);
  return backend;
}

function echo(name: string): Serve {
  return (socket) => {
    socket.write(`${name}\n`);
    socket.pipe(socket);
  };
}
