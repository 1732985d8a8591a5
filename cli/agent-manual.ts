/** What is to be read of `agent`, whose flags are those of the configuration. */
import { AGENT_FLAGS } from '../lib/config/agent-flags.ts';
import type { Manual } from './usage.ts';

export const AGENT_SUMMARY = 'Runs an agent, or a server';

export const AGENT_MANUAL: Manual = {
  synopsis: '[options]',
  details:
    'It runs until it is told to end. With -server it is a registry server as well; with -dev, one that keeps everything in memory.',
  examples: [
    '-dev',
    '-server -bootstrap -bind=127.0.0.1 -data-dir=/var/lib/proconsul',
    '-config-dir=/etc/proconsul -data-dir=/var/lib/proconsul',
    '-bind=10.0.0.7 -data-dir=/var/lib/proconsul -retry-join=10.0.0.1 -docker',
  ],
  http: 'none',
  flags: AGENT_FLAGS,
};
