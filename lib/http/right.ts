/**
 * What a row of the route table asks of whoever calls it, and who sees to it: no row compiles without
 * saying so.
 */

import { permissionDenied } from '../acl/refusals.ts';
import type { Access, Caller, Resource, Rights } from '../acl/rights.ts';

export type Need = `${Resource}:${Access}`;

export type Right =
  /** Anyone may, with whatever token: nobody looks who it is. */
  | { readonly by: 'nobody' }
  /** The row itself, before its handler runs. */
  | { readonly by: 'row'; readonly need: Need; readonly refuse: Refuse }
  /** The Reader, which hands queries only what may be seen. */
  | ({ readonly by: 'reader'; readonly need: Need } & Least)
  /** `write`, which judges the command by what it changes. */
  | ({ readonly by: 'writer'; readonly need: Need } & Least)
  /** Its handler, which knows best what it is about, and asks the caller. */
  | ({ readonly by: 'handler'; readonly need: Need | 'own' } & Least);

/** One of these is needed for any name, whatever the body says; nothing is known where there are none. */
interface Least {
  readonly least: readonly Need[];
}

/** What a row may tell by, beside the caller. */
interface Asking {
  readonly caller: Caller;
  readonly rest: string;
}

/** Throws what the request is refused with. */
type Refuse = (asking: Asking) => void;
type NameOf = (asking: Asking) => string;

export const anyone: Right = { by: 'nobody' };

const noName: NameOf = () => '';

/** The name is none for a resource that has none: operator, acl, keyring. */
export function needs(need: Need, name = noName, denied = permissionDenied): Right {
  const [resource, access] = parts(need);
  const refuse: Refuse = (asking) => {
    const { rights } = asking.caller;
    if (!rights.all && !rights.may(resource, access, name(asking))) throw denied();
  };
  return { by: 'row', need, refuse };
}

export function shows(need: Need, least: readonly Need[] = []): Right {
  return { by: 'reader', need, least };
}

export function changes(need: Need, least: readonly Need[] = []): Right {
  return { by: 'writer', need, least };
}

export function asks(need: Need | 'own' = 'own', least: readonly Need[] = []): Right {
  return { by: 'handler', need, least };
}

/** Refuses what the row itself has to. */
export function enforce(right: Right, asking: Asking): void {
  if (right.by === 'row') right.refuse(asking);
}

/** Refuses whoever may do nothing of it: to read his body would take time of everybody else's. */
export function refuseHopeless(right: Right, { rights }: Pick<Caller, 'rights'>): void {
  if (rights.all || !('least' in right) || right.least.length === 0) return;
  if (!right.least.some((need) => mayAny(rights, need))) throw permissionDenied();
}

function mayAny(rights: Rights, need: Need): boolean {
  const [resource, access] = parts(need);
  return rights.mayAny(resource, access);
}

function parts(need: Need): [Resource, Access] {
  return need.split(':') as [Resource, Access];
}

/** For the table of docs/compat.md. */
export function spoken(right: Right): string {
  return right.by === 'nobody' ? 'none' : right.need;
}
