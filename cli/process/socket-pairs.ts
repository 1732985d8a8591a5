import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Both ends of a connection within this process. */
export interface SocketPair {
  readonly own: Socket;
  readonly theirs: Socket;
}

/** By TCP, as clients come. Whoever else comes to the port, which is open for a moment, is cut off. */
export async function socketPairs(
  count: number,
  signal: AbortSignal,
): Promise<readonly SocketPair[]> {
  const door = createServer({ allowHalfOpen: true, noDelay: true });
  const pairs: SocketPair[] = [];
  try {
    door.listen(0, LOOPBACK);
    // Also for who wants none any more: what does not listen yet cannot be closed.
    await once(door, 'listening');
    const { port } = door.address() as AddressInfo;
    while (pairs.length < count) pairs.push(await pairAt(door, port, signal));
    return pairs;
  } catch (error) {
    destroyPairs(pairs);
    throw error;
  } finally {
    door.close();
  }
}

export function destroyPairs(pairs: readonly SocketPair[]): void {
  for (const { own, theirs } of pairs) for (const each of [own, theirs]) each.destroy();
}

type Door = ReturnType<typeof createServer>;

async function pairAt(door: Door, port: number, signal: AbortSignal): Promise<SocketPair> {
  const own = ours(connect({ host: LOOPBACK, port, noDelay: true }));
  const came = once(door, 'connection', { signal });
  try {
    const [[first]] = await Promise.all([came, once(own, 'connect', { signal })]);
    let theirs = ours(first as Socket);
    while (theirs.remotePort !== own.localPort) {
      theirs.destroy();
      const [next] = await once(door, 'connection', { signal });
      theirs = ours(next as Socket);
    }
    return { own, theirs };
  } catch (error) {
    own.destroy();
    throw error;
  }
}

/** One that breaks off is closed: nothing else is to be known of it. */
function ours(socket: Socket): Socket {
  return socket.on('error', () => undefined);
}
