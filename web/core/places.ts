/**
 * Places for questions that wait, of which all windows of a browser have a few together: a worker that they share gives
 * them. Where a browser has none, or it does not begin, each window is by itself.
 */
import { PACE } from './retry.ts';
import { type Place, type Said, type Told, Turns } from './turns.ts';

interface Asked {
  readonly give: () => void;
  readonly over: AbortController;
}

/** Until the worker has begun, or there is none. */
const BEGINS_MS = 10_000;

const asked = new Map<number, Asked>();
let next = 1;
let say: ((said: Said) => void) | undefined;

/** Before anything waits: a worker takes a moment to begin. */
export function startPlaces(): void {
  addEventListener('focus', () => say?.({ is: 'here', id: 0 }));
  addEventListener('pagehide', () => say?.({ is: 'gone', id: 0 }));
  say = shared() ?? alone();
  if (document.hasFocus()) say({ is: 'here', id: 0 });
}

/** Once there is one. Rejects with the signal's reason. */
export function takePlace(signal: AbortSignal): Promise<Place> {
  const id = next++;
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const leave = () => {
      if (!asked.delete(id)) return;
      signal.removeEventListener('abort', end);
      say?.({ is: 'left', id });
    };
    const end = () => {
      leave();
      reject(signal.reason);
    };
    asked.set(id, { give: () => resolve({ over: over.signal, leave }), over });
    signal.addEventListener('abort', end);
    say?.({ is: 'wanted', id });
  });
}

function hear({ is, id }: Told): void {
  const question = asked.get(id);
  if (is === 'yours') question?.give();
  else question?.over.abort();
}

function alone(): (said: Said) => void {
  return new Turns({ ...PACE, now: () => performance.now() }).opened(hear);
}

function shared(): ((said: Said) => void) | undefined {
  const worker = begun();
  if (worker === undefined) return undefined;
  let isShared = true;
  const goOnAlone = () => {
    cancel();
    if (!isShared) return;
    isShared = false;
    worker.port.postMessage({ is: 'gone', id: 0 } satisfies Said);
    worker.port.close();
    say = alone();
    for (const id of asked.keys()) say({ is: 'wanted', id });
  };
  const cancel = PACE.after(BEGINS_MS, goOnAlone);
  worker.onerror = goOnAlone;
  worker.port.onmessage = ({ data }: MessageEvent<Told | undefined>) => {
    cancel();
    if (data !== undefined) hear(data);
  };
  return (said) => worker.port.postMessage(said);
}

function begun(): SharedWorker | undefined {
  if (!('SharedWorker' in globalThis)) return undefined;
  try {
    return new SharedWorker(new URL('./turns-worker.ts', import.meta.url), { type: 'module' });
  } catch {
    // A browser that lets a page keep nothing may refuse it.
    return undefined;
  }
}
