/** How the configuration wants a server's log sealed, and what an operator has to know of that. */
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { SealedPayloads } from '../../server/log/sealed/sealed-payloads.ts';
import type { ProcessSeal } from './process-seal.ts';

/** Undefined where the log is in the clear. */
export function logPayloads(
  { encrypt, acl, connect, redis, dataDir, datacenter }: Config,
  seal: ProcessSeal | undefined,
  logger: Logger,
): SealedPayloads | undefined {
  if (seal === undefined) {
    if (acl.enabled && redis !== undefined) logger.warn(`redis: ${OPEN}`);
    const isKept = redis !== undefined || dataDir !== '';
    if (connect.enabled && isKept) logger.warn(`connect: ${KEY_SHOWN}`);
    return undefined;
  }
  if (!encrypt.verifyOutgoing) logger.warn(`server: ${CLEAR}`);
  if (!encrypt.verifyIncoming) logger.warn(`server: ${TRUSTING}`);
  return new SealedPayloads({
    datacenter,
    keyring: seal.keyring,
    keep: seal.keep,
    refusesPlain: encrypt.verifyIncoming,
    seals: encrypt.verifyOutgoing,
    logger,
  });
}

const OPEN =
  'access control is on, and nothing is sealed (encrypt): whoever can read this Redis has every token, and whoever can write to it may do anything';
const KEY_SHOWN =
  'nothing is sealed (encrypt): whoever can read the log has the key of the certificate authority, and can be any service of the mesh';
const CLEAR = 'encrypt_verify_outgoing is false: what is written to the log is in the clear';
const TRUSTING = 'encrypt_verify_incoming is false: whoever can write to the log may forge entries';
