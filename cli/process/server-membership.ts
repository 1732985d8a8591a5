/** Membership as a server has it: at first hand. */

import { introduce, joinAny } from '../../agent/servers/introduction.ts';
import type { Membership } from '../../agent/servers/membership.ts';
import { ownMember } from '../../agent/state/own-entry.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Identities } from '../../lib/tls/identities.ts';
import type { Server } from '../../server/server.ts';
import type { OwnBeat } from './own-beat.ts';

export interface ServerMembershipOptions {
  readonly server: Server;
  readonly config: Config;
  readonly nodeId: string;
  readonly beat: OwnBeat;
  readonly identities: Identities;
}

export function serverMembership({
  server,
  config,
  nodeId,
  beat,
  identities,
}: ServerMembershipOptions): Membership {
  const self = ownMember(config, nodeId);
  const asking = {
    defaultPort: config.ports.serfLan,
    datacenter: config.datacenter,
    tls: () => identities.servers,
  };
  return {
    knowsServer: () => server.deps.readiness.knownLeader,
    async members() {
      const members = server.members.list();
      // Before its first beat is in the log it knows of itself all the same.
      return members.some(({ Name }) => Name === self.Name) ? members : [self, ...members];
    },
    // Servers find one another in the log; that the other answers is all there is to see.
    join: (address) => joinAny([address], async (each) => void (await introduce(each, asking))),
    forceLeave: (node, prune) => server.members.forceLeave(node, prune),
    leave() {
      // The next beat would let it in again.
      beat.stop();
      return server.members.leave({ ID: nodeId, Node: config.nodeName });
    },
  };
}
