import { createHash } from 'node:crypto';

/** What an entry's hash covers. `payload` is the command as it stands in the log, byte for byte. */
export interface Link {
  readonly index: number;
  readonly epoch: number;
  readonly t: number;
  readonly id: string;
  readonly payload: string;
}

/** SHA-1, since it is what a Redis script can compute too; it guards against loss, not attack. */
export function chainHash(previous: string, { index, epoch, t, id, payload }: Link): string {
  return createHash('sha1')
    .update(`${previous} ${index} ${epoch} ${t} ${id} `)
    .update(payload)
    .digest('hex');
}
