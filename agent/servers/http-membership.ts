/** Membership as an agent without a server has it: the servers are asked. */
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { Logger } from '../../lib/logger.ts';
import {
  FORCE_LEAVE_PATH,
  type ForceLeave,
  LEAVE_PATH,
  type Leave,
  MEMBERS_PATH,
  type Member,
} from '../../lib/membership.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Joiner } from './joiner.ts';
import type { Membership } from './membership.ts';
import { readMembers } from './read-answers.ts';
import type { ServerList } from './server-list.ts';
import type { Upstream } from './upstream.ts';

const TIMEOUT_MS = 5000;
/** Of each server that is tried: an agent that ends has seconds for all of it. */
const LEAVE_MS = 1200;

export interface HttpMembershipOptions {
  readonly upstream: Upstream;
  readonly joiner: Joiner;
  readonly heartbeat: Heartbeat;
  readonly servers: Pick<ServerList, 'size'>;
  readonly self: () => Self;
  readonly logger: Logger;
}

/** This agent as the others see it, and the token that it shows. */
export interface Self {
  readonly member: Member;
  readonly nodeId: string;
  readonly token: string;
}

export function httpMembership(options: HttpMembershipOptions): Membership {
  const { upstream, joiner, heartbeat, servers, self, logger } = options;
  const ask = (method: string, target: string, token: string, body?: ForceLeave) =>
    upstream.ask({
      way: 'client',
      method,
      target,
      key: target,
      token,
      timeoutMs: TIMEOUT_MS,
      repeatable: true,
      ...(body !== undefined && { body: Buffer.from(encodeJson(body)) }),
    });
  return {
    knowsServer: () => servers.size > 0,
    async members() {
      const { member, token } = self();
      const answer = await ask('GET', MEMBERS_PATH, token).catch(() => undefined);
      // An agent answers about itself even before it knows any server.
      if (answer?.status !== 200) return [member];
      const all = readMembers(answer.body);
      return [...all.filter(({ Name }) => Name !== member.Name), member];
    },
    join: (address) => joiner.join(address),
    async forceLeave(node, prune, token) {
      const answer = await ask('PUT', FORCE_LEAVE_PATH, token, { Node: node, Prune: prune });
      if (answer.status === 404) return false;
      if (answer.status !== 200) throw new ProconsulError('rejected', answer.body.toString());
      return true;
    },
    async leave() {
      joiner.stop();
      // The next beat would let it in again.
      heartbeat.stop();
      const { member, nodeId, token } = self();
      const body: Leave = { ID: nodeId, Node: member.Name };
      try {
        await upstream.ask({
          way: 'beat',
          method: 'PUT',
          target: LEAVE_PATH,
          key: `node:${member.Name}`,
          token,
          timeoutMs: LEAVE_MS,
          repeatable: true,
          body: Buffer.from(encodeJson(body)),
        });
      } catch (error) {
        // It leaves all the same: the servers find out by themselves that it does not beat.
        logger.warn(`agent: leaves without a server being told: ${describeChain(error)}`);
      }
    },
  };
}
