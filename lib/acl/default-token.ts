import { type AccessControl, type Caller, OPEN } from './rights.ts';

/** As `access`, but who brings no token asks with the one that there is for that, which may change. */
export function withDefaultToken(access: AccessControl, token: () => string): AccessControl {
  if (access === OPEN) return OPEN;
  const askedWith = (used: string, caller: Caller): Caller => ({
    rights: caller.rights,
    accessorId: caller.accessorId,
    // Who brings no token is a stranger still.
    hearsOfHidden: false,
    token: caller.token,
    stands: () => token() === used && caller.stands(),
  });
  return {
    callerOf: (sent, from) => {
      if (sent !== '') return access.callerOf(sent, from);
      const used = token();
      const caller = access.callerOf(used, from);
      if (caller instanceof Promise) return caller.then((found) => askedWith(used, found));
      return askedWith(used, caller);
    },
  };
}
