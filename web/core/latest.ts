/** What was there last: by the time that somebody has answered a question it may be another one, or gone. */
import { useRef } from 'preact/hooks';

export interface Latest<T> {
  readonly current: T;
}

/** Where it is gone, which is undefined, it stays what it was. */
export function useLatest<T>(value: T): Latest<T> {
  const latest = useRef(value);
  if (value !== undefined) latest.current = value;
  return latest;
}
