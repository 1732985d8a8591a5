/**
 * How a listener ends with a reset for nobody: whom the kernel has let in is taken first, and in the moment in which it closes
 * its line is full, of connections of our own. Over the network a handshake that is under way then is lost all the same.
 */
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { BACKLOG } from '../lib/listening.ts';

/** Where one may wait, Linux lets two. With none it would take each who comes for a flood, and log it. */
const PLACES = 1;
const PLUGS = PLACES + 1;
const HAS_SUCH_LINES = process.platform === 'linux';
/** One is taken in a turn of the event loop: by then all are who were in line when this began, whoever came behind them. */
const MAX_TURNS = 2 * BACKLOG;
/** Somebody may come between two of our own. */
const MAX_TIMES = 16;

/** As the kernel has it. */
interface Kernels {
  listen(places: number): number;
  /** Not 0 where it is not connected. */
  getpeername(out: object): number;
}

/** Resolves when it takes nobody any more. `isShared`: another process listens there too, and takes who is in line. */
export async function closeBehindLast(server: Server, isShared: boolean): Promise<void> {
  let came = 0;
  const one = () => void came++;
  server.on('connection', one).on('drop', one);
  // In this turn the kernel may have been asked already.
  await nextTurn();
  for (let turns = 0, times = 0; turns < MAX_TURNS && server.listening; turns++) {
    const before = came;
    await nextTurn();
    if (came > before) continue;
    if (isShared || !HAS_SUCH_LINES || times++ === MAX_TIMES) break;
    await closeWhereFull(server);
  }
  server.off('connection', one).off('drop', one);
  server.close();
}

/** Closes it where our own have all places in line; else all is as it was. */
async function closeWhereFull(server: Server): Promise<void> {
  const line = kernels(server);
  if (line === undefined) return;
  const { address: host, port } = server.address() as AddressInfo;
  line.listen(PLACES);
  const plugs = Array.from({ length: PLUGS }, () => connect({ host, port }));
  for (const plug of plugs) plug.on('error', () => undefined);
  // They set out in this tick, and by its end each is in line for whom there was room: the kernel has both sides.
  await new Promise((resolve) => process.nextTick(resolve));
  if (plugs.every((plug) => kernels(plug)?.getpeername({}) === 0)) server.close();
  else line.listen(BACKLOG);
  // Whoever is in line nevertheless, and is taken, is seen to have gone.
  for (const plug of plugs) Object.assign(plug, { resetAndClosing: true }).destroy();
}

/** Undefined where it has been closed, or is another's by now. */
function kernels(of: Server | Socket): Kernels | undefined {
  return (of as unknown as { readonly _handle: Kernels | null })._handle ?? undefined;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
