/** What a process of the world says: into the trace, and what it says at ERROR for a verdict besides. */
import type { Logger } from '../../lib/logger.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

/** A line at ERROR, and when it was said. */
export interface Complaint {
  readonly at: number;
  readonly text: string;
}

export function loggerOf(
  world: World,
  { name }: Pick<Machine, 'name'>,
  complaints: Complaint[],
): Logger {
  const line = (level: string) => (text: string) => {
    world.say(`${name} ${level} ${text}`);
    if (level === 'ERROR') complaints.push({ at: world.now, text });
  };
  return { error: line('ERROR'), warn: line('WARN'), info: line('INFO'), debug: () => undefined };
}
