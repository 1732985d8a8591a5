/** The places of this window: from the worker that all windows of its browser share. */
import { type Line, Places } from './places.ts';
import { PACE } from './retry.ts';
import type { Place, Told } from './turns.ts';

const places = new Places({
  ...PACE,
  now: () => performance.now(),
  open,
  isUsed: () => document.hasFocus(),
});

export function startPlaces(): void {
  addEventListener('focus', () => places.tell('here'));
  // A page that comes back is read anew (login.ts).
  addEventListener('pagehide', () => places.tell('gone'));
  places.start();
}

export function takePlace(signal: AbortSignal): Promise<Place> {
  return places.take(signal);
}

function open(hear: (told?: Told) => void, failed: () => void): Line | undefined {
  const worker = begun();
  if (worker === undefined) return undefined;
  worker.onerror = failed;
  worker.port.onmessage = ({ data }: MessageEvent<Told | undefined>) => hear(data);
  return {
    say: (said) => worker.port.postMessage(said),
    close: () => worker.port.close(),
  };
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
