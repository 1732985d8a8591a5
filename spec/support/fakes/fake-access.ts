/** Tokens by hand: what each may do, until it is revoked. */
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { tokenNotFound } from '../../../lib/acl/refusals.ts';
import {
  type AccessControl,
  type Caller,
  EVERYTHING,
  type Rights,
} from '../../../lib/acl/rights.ts';

export const MASTER = 'master';

export class FakeAccess implements AccessControl {
  readonly #rights = new Map<string, Rights>();

  /** Rules by the token's secret; '' is whoever brings none. */
  constructor(rules: Readonly<Record<string, string>> = {}) {
    this.#rights.set(MASTER, { ...EVERYTHING, key: MASTER });
    this.grant('', '');
    for (const [token, text] of Object.entries(rules)) this.grant(token, text);
  }

  grant(token: string, rules: string): void {
    this.#rights.set(token, compileRights([ruleSet(rules)], 'deny'));
  }

  revoke(token: string): void {
    this.#rights.delete(token);
  }

  callerOf(token: string): Caller {
    const rights = this.#rights.get(token);
    if (rights === undefined) throw tokenNotFound();
    const hearsOfHidden = token !== '';
    const stands = () => this.#rights.get(token) === rights;
    return { rights, accessorId: token, hearsOfHidden, stands };
  }
}

/** What a request brings that is to be asked with this token. */
export const withToken = (token: string) => ({ headers: { 'X-Consul-Token': token } });
