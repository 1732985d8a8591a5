import { AGENT_FLAGS } from './agent-flags.ts';
import { describeFlags } from './flag-help.ts';

/** The answer to `agent -h`. */
export function agentUsage(): string {
  return [
    'Usage: proconsul agent [options]\n',
    '  Starts the agent and runs until it is told to end. With -server it is a',
    '  registry server as well; with -dev, one that keeps everything in memory.\n',
    'Options\n',
    ...describeFlags(AGENT_FLAGS).map((flag) => `${flag}\n`),
  ].join('\n');
}
