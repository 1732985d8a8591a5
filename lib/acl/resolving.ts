/**
 * How an agent without a server learns what a token may do: it asks a server, as whoever the token
 * stands for. So nobody learns more than his own rights, and the agent needs none for it.
 */
import type { RuleSet } from './compile-rights.ts';

/** GET on ports.server, with the token as any request has it: ResolvedToken, or 403. */
export const RESOLVE_PATH = '/v1/internal/acl/resolve';
/** The digest of the rules that the agent has already: they are left out where they are the same. */
export const KNOWN_PARAM = 'known';

export interface ResolvedToken {
  readonly AccessorID: string;
  /** When the token ends, in milliseconds since 1970; 0 where it does not. */
  readonly ExpiresAt: number;
  /** For an audit; neither where the server says nothing of it. */
  readonly Description?: string;
  readonly CreatedAt?: number;
  /** Of all rules together. */
  readonly Digest: string;
  readonly Rules?: readonly RuleSet[];
}
