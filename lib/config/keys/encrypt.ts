/** The keys that the log is sealed under, where Consul's encrypt its gossip. */
import { keyComplaint } from '../../seal/key.ts';
import type { Problems } from '../problems.ts';
import { bool, type Settled, text } from '../row.ts';

export const ENCRYPT_KEYS = {
  encrypt: text('A key of 16, 24 or 32 bytes in base64: seals the log, in Redis and in files.', {
    flag: 'encrypt',
    shown: 'EncryptKey',
    secret: true,
    rule: encryptKey,
  }),
  encrypt_verify_incoming: bool('Refuse what is in the log and is not sealed.', {
    default: true,
    shown: 'EncryptVerifyIncoming',
  }),
  encrypt_verify_outgoing: bool('Seal what is written to the log.', {
    default: true,
    shown: 'EncryptVerifyOutgoing',
  }),
  disable_keyring_file: bool('Keep no keys in data_dir.', {
    flag: 'disable-keyring-file',
    shown: 'DisableKeyringFile',
  }),
};

export function encryptConfig(given: Settled<typeof ENCRYPT_KEYS>) {
  return {
    /** '' for none. */
    key: given.encrypt,
    verifyIncoming: given.encrypt_verify_incoming,
    verifyOutgoing: given.encrypt_verify_outgoing,
    disableKeyringFile: given.disable_keyring_file,
  };
}

/** Its size is looked at when the keyring is made: Consul's `validate` passes over it too. */
function encryptKey(value: string, _path: string, problems: Problems): string {
  const complaint = keyComplaint(value);
  if (complaint !== undefined) problems.refuse(`encrypt has invalid key: ${complaint}`);
  return value;
}
