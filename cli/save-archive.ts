/** Saves the state to an archive: the file is there once it is whole, and was read back. */
import { createWriteStream, lstatSync, readdirSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ArchiveMeta, readArchive } from '../lib/archive/archive.ts';
import { readRecords } from '../lib/archive/records.ts';
import { systemClock } from '../lib/clock.ts';
import { describeChain, ProconsulError } from '../lib/errors.ts';
import type { ApiClient } from './api-client.ts';
import { explained } from './command.ts';
import { readFileInParts } from './commands/snapshot-inspect.ts';
import { type Progress, shown } from './progress.ts';

/** Throws ProconsulError 'Error saving snapshot: …', and leaves nothing of it. */
export async function saveArchive(
  api: ApiClient,
  file: string,
  progress: Progress,
): Promise<ArchiveMeta> {
  const part = `${file}.${process.pid}.part`;
  removeLeft(file);
  try {
    const archive = await explained(
      'Error saving snapshot',
      api.stream({ method: 'GET', path: '/v1/snapshot' }),
    );
    // Never through a file or a link that somebody laid there: it has every secret in it.
    const kept = createWriteStream(part, { flags: 'wx', mode: 0o600 });
    const whole = pipeline(shown(archive, 'saving', progress), kept);
    await explained('Error saving snapshot', whole);
    const read = readArchive(readFileInParts(part), async (state) => {
      for await (const _ of readRecords(state));
    });
    const { meta } = await explained('Error verifying snapshot file', read);
    await rename(part, file);
    return meta;
  } catch (cause) {
    // It may be somebody else's, who laid it there: that it is refused is said already.
    await rm(part, { force: true }).catch(() => undefined);
    if (cause instanceof ProconsulError) throw cause;
    throw new ProconsulError('invalid', `Error saving snapshot: ${describeChain(cause)}`, {
      cause,
    });
  }
}

/** So long nobody has written to it. */
const LEFT_MS = 3600_000;

/** Takes out what was begun under such a name, whatever digits are in it: whoever wrote it was killed. */
function removeLeft(file: string): void {
  const folder = dirname(file);
  const such = basename(file).replace(/\W/g, '\\$&').replace(/\d+/g, '\\d+');
  const name = new RegExp(`^${such}\\.\\d+\\.part$`);
  const before = systemClock.now() - LEFT_MS;
  try {
    const parts = readdirSync(folder).filter((each) => name.test(each));
    for (const part of parts.map((each) => join(folder, each))) {
      if (lstatSync(part).mtimeMs < before) rmSync(part);
    }
  } catch {
    // Of a folder that is no good the saving itself will tell.
  }
}
