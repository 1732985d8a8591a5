/** Membership as a server has it. */
import type { Config } from '../../lib/config/config.ts';
import type { Server } from '../../server/server.ts';
import { introduce } from '../client/introduction.ts';
import type { Membership } from '../membership.ts';
import { ownMember } from '../own-entry.ts';

export function serverMembership(server: Server, config: Config, nodeId: string): Membership {
  const self = ownMember(config, nodeId);
  const members = () => {
    const others = server.deps.cluster.members().filter(({ Name }) => Name !== self.Name);
    return [self, ...others];
  };
  return {
    members: async () => members(),
    // Servers find one another in the log; that the other answers is all there is to see.
    join: async (address) => void (await introduce(address, config.ports.serfLan)),
    async forceLeave(node) {
      if (!members().some(({ Name }) => Name === node)) return false;
      if (node !== config.nodeName) await server.propose({ type: 'deregister', node });
      return true;
    },
    leave: async () => void (await server.propose({ type: 'deregister', node: config.nodeName })),
  };
}
