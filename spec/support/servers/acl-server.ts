/** A server under access control, and whoever asks it. */
import assert from 'node:assert/strict';
import type { Logger } from '../../../lib/logger.ts';
import type { ConnectRules } from '../../../server/connect/authority.ts';
import type { AclRules } from '../../../server/server.ts';
import { type Answer, type Sent, startServerWith, type TestServer } from './start-server.ts';

export const MASTER = '11111111-1111-4111-8111-111111111111';

export interface AclServer extends TestServer {
  /** Asks with a token; '' is none. */
  readonly as: (
    token: string,
    method: string,
    path: string,
    body?: Sent['body'],
  ) => Promise<Answer>;
  /** The same with the first token, and what it came to. */
  readonly master: (method: string, path: string, body?: Sent['body']) => Promise<Made>;
}

/** What the API says of what was made. */
export type Made = Readonly<Record<string, string>>;

/** Nothing is allowed but to the first token. */
export function aclRules(over: Partial<AclRules> = {}): AclRules {
  return {
    defaultPolicy: 'deny',
    initialManagement: MASTER,
    reportsFiltered: false,
    keyListPolicy: false,
    dataDir: '',
    ...over,
  };
}

export async function startAclServer(
  over: Partial<AclRules> = {},
  logger?: Logger,
  connect?: ConnectRules,
): Promise<AclServer> {
  const acl = aclRules(over);
  const server = await startServerWith({
    acl,
    ...(logger && { logger }),
    ...(connect && { connect }),
  });
  const as: AclServer['as'] = (token, method, path, body) =>
    server.ask(method, path, {
      ...(token === '' ? {} : { headers: { 'X-Consul-Token': token } }),
      ...(body === undefined ? {} : { body }),
    });
  const master: AclServer['master'] = async (method, path, body) => {
    const answer = await as(MASTER, method, path, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Made;
  };
  return { ...server, as, master };
}
