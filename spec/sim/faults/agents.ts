/** Agents that die at any moment: what they keep in files was being written. */
import type { Random } from '../../../lib/random.ts';
import type { SimAgent } from '../agent.ts';
import { between, type Drawn } from './fault.ts';

/** What an agent does in some seconds that others can see, at most, about. */
const STEPS = 60;

/** Nothing where there are none. */
export function agentDies(random: Random): Drawn {
  const at = random.next();
  const step = between(random, 1, STEPS);
  const lastsMs = between(random, 50, 3000);
  const losesPower = random.next() < 0.5;
  const dies = losesPower ? 'loses its power' : 'dies';
  return {
    what: `an agent ${dies} before its step ${step} from here, and is back after ${lastsMs} ms`,
    lastsMs,
    strike: ({ agents, world }) => {
      const agent = agents[Math.floor(at * agents.length)] as SimAgent | undefined;
      agent?.machine.beforeStep(step, () => {
        agent.kill(losesPower ? lastsMs : 0);
        void world.sleep(lastsMs).then(() => agent.start());
      });
    },
  };
}
