/** By which seals a history went, and so how far two of them are the same where entries are gone. */
import type { Position } from '../../event-log.ts';

/** After which index of a history an epoch was sealed. */
export interface SealedAfter {
  readonly epoch: number;
  readonly index: number;
  /**
   * Of this seal and no other. Servers that know nothing of one another seal epochs of the same number,
   * each in a Redis of its own: by the number alone one would be taken for the other.
   */
  readonly mark: string;
}

/**
 * Whether an entry of one history is in another, as far as the seals of both tell: the seal that it
 * was written under is in both, and the other went on under the next one only after it. What they do
 * not tell is not shared: better an entry too many is called lost than one too few.
 */
export function isShared(
  { index, epoch }: Pick<Position, 'index' | 'epoch'>,
  its: readonly SealedAfter[],
  others: readonly SealedAfter[],
): boolean {
  if (index === 0) return true;
  const mark = its.find((seal) => seal.epoch === epoch)?.mark;
  const at = others.findIndex((seal) => seal.epoch === epoch && seal.mark === mark);
  return at >= 0 && index <= (others[at + 1]?.index ?? Number.POSITIVE_INFINITY);
}

/** As SEAL writes them, ` epoch:index:mark` each. The oldest may be cut off, and begin anywhere. */
export function parseSeals(text: string): SealedAfter[] {
  return [...text.matchAll(/ (\d+):(\d+)(?::(\w+))?/g)].map(([, epoch, index, mark = '']) => {
    return { epoch: Number(epoch), index: Number(index), mark };
  });
}

export function formatSeals(seals: readonly SealedAfter[]): string {
  return seals.map(({ epoch, index, mark }) => ` ${epoch}:${index}:${mark}`).join('');
}
