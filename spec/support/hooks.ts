import { closePages } from './open-pages.ts';
import { closeRawClients } from './servers/raw-client.ts';
import { stopServers } from './servers/start-server.ts';

/** Ends what a spec started, however the spec ended: without it one failure keeps mocha running. */
export const mochaHooks = {
  afterEach: async () => {
    closeRawClients();
    try {
      await closePages();
    } finally {
      await stopServers();
    }
  },
};
