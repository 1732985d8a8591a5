/** What a run draws from its seed. */
import type { Random } from '../../../../lib/random.ts';

/** Both ends count. */
export function within(random: Random, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1));
}

export function among<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random.next() * values.length)] as T;
}

export function chance(random: Random, share: number): boolean {
  return random.next() < share;
}

/** Of so many bytes, none like those before. */
export function bytesOf(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const first = within(random, 0, 255);
  for (let i = 0; i < length; i++) bytes[i] = (first + i * 31 + (i >> 8)) & 255;
  return bytes;
}
