/** The id of this node: from its files, else the one it had before, else a new one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProconsulError } from '../../lib/errors.ts';
import { isUuid } from '../../lib/ids.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import type { Random } from '../../lib/random.ts';

const FILE = 'node-id';

export async function nodeIdOf(
  { nodeId, dataDir }: { readonly nodeId: string; readonly dataDir: string },
  random: Random,
): Promise<string> {
  if (nodeId !== '' && !isUuid(nodeId)) {
    throw new ProconsulError('invalid', `node_id is invalid: ${uuidFault(nodeId)}`);
  }
  if (dataDir === '') return nodeId === '' ? random.uuid() : nodeId;
  const path = join(dataDir, FILE);
  const kept = await readFile(path, 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new ProconsulError('invalid', `${path} cannot be read`, { cause: error });
    },
  );
  if (kept !== '' && !isUuid(kept)) {
    throw new ProconsulError('invalid', `${path} holds no node id: ${JSON.stringify(kept)}`);
  }
  const id = nodeId || kept || random.uuid();
  if (id === kept) return id;
  await makeFolder(dataDir);
  await writeFile(path, id, { mode: 0o600 });
  return id;
}

/** In Consul's words. */
function uuidFault(id: string): string {
  if (id.length !== 36) return 'uuid string is wrong length';
  return 'uuid is improperly formatted';
}
