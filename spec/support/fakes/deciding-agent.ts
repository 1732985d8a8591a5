/** An agent that decides who may call when a spec says so, and who goes by it. */
import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Answer, Ask } from '../../../sidecar/follow.ts';
import { Permissions } from '../../../sidecar/mesh/permissions.ts';
import { FakeClock } from './fake-clock.ts';
import { RecordingLogger } from './recording-logger.ts';
import { seededRandom } from './seeded-random.ts';

export const WEB = 'spiffe://mesh.consul/ns/default/dc/dc1/svc/web';

/** An agent that answers when the spec says so, or fails then; until it is given up. */
export function startPermissions() {
  const asked: ((isAllowed: boolean, more?: object) => void)[] = [];
  const fails: ((error: Error) => void)[] = [];
  const looks: ((index: string, json?: object[]) => void)[] = [];
  /** The same looks, refused. */
  const refuses: ((error: Error) => void)[] = [];
  /** Each caller that was asked about. */
  const about: string[] = [];
  /** What it says at once from now on. */
  const now: { answer?: boolean } = {};
  const ask: Ask = ({ path, body }, signal) =>
    new Promise<Answer>((resolve, reject) => {
      if (path.endsWith('/intentions')) {
        looks.push((index, json = []) => resolve({ index, json }));
        refuses.push(reject);
        return;
      }
      about.push((body as Said).json.ClientCertURI);
      if (now.answer !== undefined) resolve({ index: '', json: { Authorized: now.answer } });
      asked.push((Authorized, more) => resolve({ index: '', json: { Authorized, ...more } }));
      fails.push(reject);
      signal.addEventListener('abort', () => reject(AWAY));
    });
  const clock = new FakeClock();
  const agent = { ask, clock, random: seededRandom(1) };
  const logger = new RecordingLogger();
  const permissions = new Permissions({ service: 'db', agent, logger });
  const ending = new AbortController();
  void permissions.follow(ending.signal);
  const decide = async (isAllowed: boolean) => {
    const verdict = permissions.isAllowed(WEB);
    asked.at(-1)?.(isAllowed);
    assert.equal(await verdict, isAllowed);
  };
  return { permissions, logger, clock, asked, about, fails, looks, refuses, ending, decide, now };
}

interface Said {
  readonly json: { readonly ClientCertURI: string };
}

export const AWAY = new ProconsulError('unavailable', 'it is not there');
export const NO_ROOM = new ProconsulError('busy', 'Unexpected response code: 429');
