/** The keys of a process: what it keeps in its folder is sealed under them, and a server's log. */
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { DataSeal } from '../../lib/seal/data-seal.ts';
import type { Keyring } from '../../lib/seal/keyring.ts';
import { loadKeyring } from '../../lib/seal/keyring-file.ts';

export interface ProcessSeal {
  readonly keyring: Keyring;
  readonly keep: (keyring: Keyring) => void;
  /** Undefined where nothing is kept. */
  readonly data: DataSeal | undefined;
}

/** Undefined where no key is configured or kept. */
export function openSeal({ encrypt, dataDir }: Config, logger: Logger): ProcessSeal | undefined {
  const { key, disableKeyringFile } = encrypt;
  const loaded = loadKeyring({ encrypt: key, dataDir, disableKeyringFile });
  if (loaded === undefined) return undefined;
  const { keyring, warnings } = loaded;
  for (const warning of warnings) logger.warn(warning);
  const data = dataDir === '' ? undefined : DataSeal.open(dataDir, keyring);
  const keep = (next: Keyring) => {
    loaded.keep(next);
    data?.keep(next);
  };
  return { keyring, keep, data };
}
