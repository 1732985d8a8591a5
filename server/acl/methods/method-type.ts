/** What the types of auth methods have in common: each knows people in its own way. */
import type { AuthMethodDefinition } from '../../../lib/acl/model.ts';
import type { StructSchema } from '../../../lib/filter/fields.ts';
import type { Outbound } from './outbound.ts';

/** Whoever logs in, as the method tells. */
export interface Identity {
  /** What selectors select from, as `fields` of the type say. */
  readonly selectable: object;
  /** By the names that BindName has for them. */
  readonly variables: ReadonlyMap<string, string>;
}

/** What it takes to ask others, for one request. */
export interface Asking {
  readonly outbound: Outbound;
  readonly now: () => number;
  /** Aborted when whoever asked has gone. */
  readonly signal: AbortSignal;
}

export type MethodConfig = AuthMethodDefinition['Config'];

export interface MethodType {
  readonly fields: StructSchema;
  /** What BindName may name, by the method's configuration. */
  variables(config: MethodConfig): readonly string[];
  /** Throws 'rejected' with Consul's words for what is wrong with it; may ask others. */
  check(config: MethodConfig, asking: Asking): void | Promise<void>;
  /**
   * Whom the bearer token proves. Throws 'rejected' where it proves nobody; neither that token nor
   * anything secret of the configuration is ever in the text.
   */
  login(config: MethodConfig, bearer: string, asking: Asking): Promise<Identity>;
}
