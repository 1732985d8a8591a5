/**
 * What whoever asks may do. A token comes to its rights: the rules of its policies, roles and
 * identities, compiled once for all tokens that come to the same.
 */

export const RESOURCES = [
  'acl',
  'agent',
  'event',
  'intention',
  'key',
  'keyring',
  'mesh',
  'node',
  'operator',
  'peering',
  'query',
  'service',
  'session',
] as const;

export type Resource = (typeof RESOURCES)[number];

/** `list` is for keys alone: to see a folder's names as a whole. */
export type Access = 'read' | 'list' | 'write';

export interface Rights {
  /** Whoever has the same key may see and do the same: answers are shared by it. */
  readonly key: string;
  /** Without access control, and for management: nothing has to be looked at one by one. */
  readonly all: boolean;
  /** The name is '' where the resource has none (acl, keyring, mesh, operator, peering). */
  may(resource: Resource, access: Access, name: string): boolean;
  /** Whether it may whatever the name is that begins so. */
  mayUnder(resource: Resource, access: Access, prefix: string): boolean;
  /** Whether there could be a name that begins so for which it may. */
  mayAnyUnder(resource: Resource, access: Access, prefix: string): boolean;
  /** Whether it may for any name at all. */
  mayAny(resource: Resource, access: Access): boolean;
}

/** What an audit says of a token beside its accessor. */
export interface TokenFacts {
  readonly description: string;
  /** Milliseconds since 1970; 0 where nobody knows. */
  readonly createdAt: number;
  /** The same; 0 for one that does not expire. */
  readonly expiresAt: number;
}

/** Whoever asks, as the token says. */
export interface Caller {
  readonly rights: Rights;
  /** '' where there is no access control. */
  readonly accessorId: string;
  /** Whether it is told that something was kept back from it; a stranger never is. */
  readonly hearsOfHidden: boolean;
  /** Of the token, where it is known. */
  readonly token?: TokenFacts | undefined;
  /** Whether the token still comes to these rights: it may be revoked, expire, or change. */
  stands(): boolean;
}

/** Who asks: on a server from its state at once, on an agent perhaps by asking a server. */
export interface AccessControl {
  /**
   * Throws a 403 `ACL not found` where nobody knows the token; '' is whoever has none. `from` is the
   * address that asks, where looking for it costs something that is to be shared.
   */
  callerOf(token: string, from?: string): Caller | Promise<Caller>;
}

export const EVERYTHING: Rights = {
  key: '',
  all: true,
  may: () => true,
  mayUnder: () => true,
  mayAnyUnder: () => true,
  mayAny: () => true,
};

/** Where there is no access control, everybody is this one. */
export const ANYONE: Caller = {
  rights: EVERYTHING,
  accessorId: '',
  hearsOfHidden: false,
  stands: () => true,
};

/** No access control. */
export const OPEN: AccessControl = { callerOf: () => ANYONE };
