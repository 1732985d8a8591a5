import { systemClock } from '../lib/clock.ts';

/** Shows how far it is; for people alone. An empty line takes away what was shown. */
export type Progress = (line: string) => void;

/** The bytes as they come, with how many there were and how fast. */
export async function* shown(
  bytes: AsyncIterable<Buffer>,
  what: string,
  progress: Progress,
): AsyncGenerator<Buffer> {
  const began = systemClock.monotonic();
  let count = 0;
  for await (const part of bytes) {
    count += part.length;
    // Bytes in a millisecond are kilobytes in a second.
    const rate = count / Math.max(1, systemClock.monotonic() - began) / 1000;
    progress(`${what} ${megabytes(count)}, ${rate.toFixed(1)} MB/s`);
    yield part;
  }
  progress('');
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
