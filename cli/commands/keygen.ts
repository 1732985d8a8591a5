import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';

const KEY_BYTES = 32;

export const keygen: Command = {
  synopsis: '',
  does: 'Makes a random key of 32 bytes, in base64. Nothing here needs one: agents do not gossip.',
  http: 'none',
  flags: new Map(),

  run({ host }) {
    host.print(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    return 0;
  },
};
