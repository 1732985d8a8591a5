/** The table of bench/eureka.ts, in the same run as the others. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Pace } from './measure.ts';

const run = promisify(execFile);
const INSTANCES = 5000;
const SECONDS = 10;

/** Undefined where Maven or Java is not installed, of which a real server is made. */
export async function besideEureka({ rounds }: Pace): Promise<string | undefined> {
  const has = (command: string) =>
    run(command, ['-version']).then(
      () => true,
      () => false,
    );
  for (const command of ['mvn', 'java']) if (!(await has(command))) return undefined;
  const program = path.resolve(import.meta.dirname, '../eureka.ts');
  const args = [program, INSTANCES, rounds, SECONDS].map(String);
  const { stdout } = await run(process.execPath, [...process.execArgv, ...args]);
  const table = stdout.slice(stdout.lastIndexOf(`${INSTANCES} instances;`));
  // A table stands apart from what is said of it.
  return table.replace('\n|', '\n\n|').trim();
}
