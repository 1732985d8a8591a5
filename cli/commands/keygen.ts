import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';

const KEY_BYTES = 32;

export const command: Command = {
  synopsis: '',
  details: 'It has 32 bytes, in base64: for `encrypt`, and for `keyring -install`.',
  examples: [''],
  http: 'none',
  flags: new Map(),

  run({ host }) {
    host.print(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    return 0;
  },
};
