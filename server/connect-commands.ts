/** What may be written to the log of the mesh's authority. */
import type { CaConfig, CaRoot } from '../lib/connect/model.ts';
import type { Indexed } from '../lib/model.ts';

/** What the authority was told, and in which domain its identities are. */
export interface StoredCaConfig extends CaConfig {
  readonly ClusterID: string;
}

/** By what a root signs. */
export interface RootKey {
  /** The root's ID. */
  readonly root: string;
  /** As PEM; '' for one that signs no more. */
  readonly privateKey: string;
  /** Tells what it was made of: see `madeOf`. */
  readonly madeOf: string;
  /** The longest that what it has signed may be valid. */
  readonly leafTtlMs: number;
  /** When it may be forgotten, by the log's clock; 0 while it is the active one. */
  readonly goesAt: number;
}

/** Only where the configuration still stands at this index; 0 where there is none. */
export interface SetCaConfig {
  readonly type: 'set-ca-config';
  readonly config: Omit<StoredCaConfig, keyof Indexed>;
  readonly leafTtlMs: number;
  readonly replaces: number;
}

/** Another root signs from now on: only where the active one still is this one, '' for none. */
export interface SetCaRoot {
  readonly type: 'set-ca-root';
  readonly root: Omit<CaRoot, keyof Indexed | 'Active'>;
  readonly key: Omit<RootKey, 'root' | 'goesAt'>;
  readonly replaces: string;
}

/** Those that nothing can be valid by any more. `term` as in ExpireSessions. */
export interface ReapCaRoots {
  readonly type: 'reap-ca-roots';
  readonly term: number;
  readonly roots: readonly string[];
}

/**
 * The index of this entry is a serial number that no other certificate has. It is judged as what is
 * written in the service's name: who has no right any more when the log has it gets no certificate.
 */
export interface TakeSerial {
  readonly type: 'take-serial';
  /** '' for what vouches for services. */
  readonly service: string;
}

export type ConnectCommand = SetCaConfig | SetCaRoot | ReapCaRoots | TakeSerial;
