/** Runs the examples of a page of docs/api against an agent of the page's own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ApiPage, Example, Names } from '../../docs/api-page.ts';
import { filledIn, isAsShown } from '../../docs/api-shown.ts';
import { startWholeAgent, type WholeAgent } from '../support/servers/whole-agent.ts';

export interface Ran {
  readonly example: Example;
  readonly answer: string;
  readonly isAsShown: boolean;
}

/** `-name=value`s and `-hcl '…'`. */
function words(flags: string): string[] {
  return [...flags.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** In their order, and at the end of all of them; what one of them shows, the next ones may name. */
export async function runExamples(page: ApiPage, runsOn = false): Promise<Ran[]> {
  const agent = await startWholeAgent(words(page.flags), page.token);
  const folder = await mkdtemp(join(tmpdir(), 'examples-'));
  const names: Names = new Map();
  const ran: Ran[] = [];
  try {
    for (const example of page.examples()) {
      const answer = await answerTo(example, { agent, folder, names, token: page.token });
      const isAs = isAsShown(example.shown ?? '', answer, { form: example.form, names });
      ran.push({ example, answer, isAsShown: isAs });
      if (!isAs && !runsOn) break;
    }
  } finally {
    await agent.stop();
    await rm(folder, { recursive: true });
  }
  return ran;
}

const run = promisify(execFile);

interface Place {
  readonly agent: WholeAgent;
  /** Files that the examples write. */
  readonly folder: string;
  readonly names: Names;
  readonly token: string;
}

async function answerTo({ command }: Example, place: Place): Promise<string> {
  const { agent, folder, names, token } = place;
  let said = filledIn(command, names);
  for (const [own, usual] of agent.ports) {
    said = said.replace(
      new RegExp(`(localhost|127\\.0\\.0\\.1):${usual}\\b`, 'g'),
      `127.0.0.1:${own}`,
    );
  }
  const { stdout } = await run('sh', ['-c', said], {
    cwd: folder,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', TOKEN: token },
    // A curl that gives up is one as well, and so is a command that is wrong: both say nothing.
  }).catch((failed: { readonly stdout: string }) => failed);
  let text = stdout;
  for (const [own, usual] of agent.ports) {
    text = text.replace(new RegExp(`\\b${own}\\b`, 'g'), String(usual));
  }
  return text;
}
