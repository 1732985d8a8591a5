/** Keys as the API has them, and what may be done with them. */
import type { KeyValue } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { asStored } from './line-ends.ts';
import { isAsWritten, isTaken } from './path.ts';
import { textOf } from './values.ts';

/** The folder that a key or a folder lies in; '' is the outermost. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/', name.length - 2) + 1);
}

/** The folders on the way to one, the outermost first, each whole. */
export function wayTo(folder: string): readonly string[] {
  const parts = folder.split('/').slice(0, -1);
  return parts.map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
}

/** Whether its path leads to it. */
export function canBeAsked(key: string): boolean {
  return isAsWritten(pathOfKey(key)) && isTaken(pathOfKey(key));
}

export function pathOfKey(key: string): string {
  return `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Only where nobody has written it since `row`, or where there is none yet; its lines end as they did. */
export function writeKey(key: string, typed: string, row: KeyValue | undefined): Action {
  const text = asStored(typed, textOf(row?.Value ?? null) ?? '');
  const cas = row?.ModifyIndex ?? 0;
  const flags = row?.Flags ? [`-flags=${row.Flags}`] : [];
  // A command reads a file by @, its input by -, and knows no condition for a key that is not there.
  const hasCommand = cas > 0 && !text.startsWith('@') && text !== '-';
  const words = ['kv', 'put', '-cas', `-modify-index=${cas}`, ...flags];
  return {
    method: 'PUT',
    path: `${pathOfKey(key)}?cas=${cas}${row?.Flags ? `&flags=${row.Flags}` : ''}`,
    body: text,
    ...(hasCommand && { command: { words, args: [key, text] } }),
  };
}

/** Puts it back as it was, if nobody has written it meanwhile. */
export function restoreKey(key: string, { Flags }: KeyValue, text: string): Action {
  return putKey(key, text, { Flags, ModifyIndex: 0 });
}

type Stand = Pick<KeyValue, 'ModifyIndex' | 'Flags'>;

/** Letter by letter, upon what stands there. */
export function putKey(key: string, text: string, { ModifyIndex, Flags }: Stand): Action {
  return {
    method: 'PUT',
    path: `${pathOfKey(key)}?cas=${ModifyIndex}${Flags ? `&flags=${Flags}` : ''}`,
    body: text,
  };
}

export function deleteKey(key: string, { ModifyIndex }: Pick<KeyValue, 'ModifyIndex'>): Action {
  return {
    method: 'DELETE',
    path: `${pathOfKey(key)}?cas=${ModifyIndex}`,
    command: { words: ['kv', 'delete', '-cas', `-modify-index=${ModifyIndex}`], args: [key] },
  };
}

export function deleteFolder(folder: string): Action {
  return {
    method: 'DELETE',
    path: `${pathOfKey(folder)}?recurse`,
    command: { words: ['kv', 'delete', '-recurse'], args: [folder] },
  };
}

export function rollBack(
  key: string,
  revision: number,
  now: Pick<KeyValue, 'ModifyIndex'> | undefined,
): Action {
  const cas = now?.ModifyIndex ?? 0;
  const words = ['kv', 'rollback', '-cas', `-modify-index=${cas}`];
  return {
    method: 'PUT',
    path: `${pathOfKey(key)}?rollback=${revision}&cas=${cas}`,
    ...(cas > 0 && { command: { words, args: [key, String(revision)] } }),
  };
}

/** A transaction names in its body what no path does. */
export function readKeys(Verb: 'get' | 'get-tree', Key: string): Action {
  return { method: 'PUT', path: '/v1/txn', body: [{ KV: { Verb, Key } }] };
}
