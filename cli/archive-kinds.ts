import { type ArchiveMeta, readArchive } from '../lib/archive/archive.ts';
import { kindOf, type Raw, readRecords } from '../lib/archive/records.ts';

export interface ArchiveKinds {
  readonly meta: ArchiveMeta;
  /** How many records there are of which kind. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Reads an archive to its end, and shows each record. Rejects where it is damaged. */
export async function archiveKinds(
  archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  see: (kind: string, value: Raw) => void = () => undefined,
): Promise<ArchiveKinds> {
  const { meta, state } = await readArchive(archive, async (records) => {
    const counts = new Map<string, number>();
    for await (const { type, value } of readRecords(records)) {
      const kind = kindOf(type) ?? `type ${type}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      see(kind, value);
    }
    return counts;
  });
  return { meta, counts: state };
}
