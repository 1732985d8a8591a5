/** Membership as an agent without a server has it: the servers are asked. */
import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import {
  FORCE_LEAVE_PATH,
  type ForceLeave,
  LEAVE_PATH,
  type Leave,
  MEMBERS_PATH,
  type Member,
} from '../../lib/membership.ts';
import type { Joiner } from './joiner.ts';
import type { Membership } from './membership.ts';
import { readAnswer } from './read-body.ts';
import type { Upstream } from './upstream.ts';

const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface HttpMembershipOptions {
  readonly upstream: Upstream;
  readonly joiner: Joiner;
  readonly self: () => Member;
  readonly nodeId: string;
  readonly token: () => string;
}

export function httpMembership(options: HttpMembershipOptions): Membership {
  const { upstream, joiner, self, nodeId, token } = options;
  const ask = async (method: string, target: string, body?: Leave | ForceLeave) => {
    const response: IncomingMessage = await upstream.send({
      method,
      target,
      key: target,
      headers: token() === '' ? {} : { 'X-Consul-Token': token() },
      timeoutMs: TIMEOUT_MS,
      repeatable: true,
      ...(body !== undefined && { body: Buffer.from(encodeJson(body)) }),
    });
    const text = (await readAnswer(response, MAX_ANSWER_BYTES)).toString();
    return { status: response.statusCode ?? 500, text };
  };
  return {
    async members() {
      const { status, text } = await ask('GET', MEMBERS_PATH).catch(() => ({
        status: 0,
        text: '',
      }));
      // An agent answers about itself even before it knows any server.
      if (status !== 200) return [self()];
      const others = (decodeJson(text) as readonly Member[]).filter(
        ({ Name }) => Name !== self().Name,
      );
      return [...others, self()];
    },
    join: (address) => joiner.join(address),
    async forceLeave(node, prune) {
      const { status, text } = await ask('PUT', FORCE_LEAVE_PATH, { Node: node, Prune: prune });
      if (status === 404) return false;
      if (status !== 200) throw new ProconsulError('rejected', text);
      return true;
    },
    async leave() {
      joiner.stop();
      await ask('PUT', LEAVE_PATH, { ID: nodeId, Node: self().Name });
    },
  };
}
