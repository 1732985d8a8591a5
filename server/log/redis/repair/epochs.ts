/** Through which epochs a history went, and so how far two of them are the same where entries are gone. */
import type { Position } from '../../event-log.ts';

/** After which index of a history an epoch began. */
export interface EpochStart {
  readonly epoch: number;
  readonly index: number;
  /**
   * Of this epoch and no other. Servers that know nothing of one another begin epochs of the same
   * number, each in a Redis of its own: by the number alone one would be taken for the other.
   */
  readonly mark: string;
}

/**
 * Whether an entry of one history is in another, as far as the epochs of both tell: the one that it
 * was written in is in both, and the other went on under the next one only after it. What they do
 * not tell is not shared: better an entry too many is called lost than one too few.
 */
export function isShared(
  { index, epoch }: Pick<Position, 'index' | 'epoch'>,
  its: readonly EpochStart[],
  others: readonly EpochStart[],
): boolean {
  if (index === 0) return true;
  const mark = its.find((each) => each.epoch === epoch)?.mark;
  const at = others.findIndex((each) => each.epoch === epoch && each.mark === mark);
  return at >= 0 && index <= (others[at + 1]?.index ?? Number.POSITIVE_INFINITY);
}

/** As BEGIN writes them, ` epoch:index:mark` each. The oldest may be cut off, and begin anywhere. */
export function parseEpochs(text: string): EpochStart[] {
  return [...text.matchAll(/ (\d+):(\d+)(?::(\w+))?/g)].map(([, epoch, index, mark = '']) => {
    return { epoch: Number(epoch), index: Number(index), mark };
  });
}

export function formatEpochs(epochs: readonly EpochStart[]): string {
  return epochs.map(({ epoch, index, mark }) => ` ${epoch}:${index}:${mark}`).join('');
}
