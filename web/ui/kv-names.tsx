/** Keys as a list: the names of one folder, or all that is below it with what it says. */
import type { KeyValue } from '../../lib/model.ts';
import { isUnsaved } from '../core/drafts.ts';
import { compare } from '../core/order.ts';
import { setQuery } from '../core/router.ts';
import { commandText } from '../core/shell.ts';
import { sizeOf, textOf } from '../core/values.ts';
import { kvWords } from '../words/kv-words.ts';
import { count } from '../words/words.ts';
import { Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { type Column, Table } from './table.tsx';

interface ListProps {
  readonly folder: string;
  /** The key that is shown beside. */
  readonly open: string;
  readonly search: string;
  /** There are others than those that are given. */
  readonly isPart: boolean;
}

interface NamesProps extends ListProps {
  readonly names: readonly string[];
}

interface RowsProps extends ListProps {
  readonly rows: readonly KeyValue[];
}

export function Names({ folder, names, open, search, isPart }: NamesProps) {
  const say = kvWords.value;
  const shown = names.filter((name) => hasAll(search, name.slice(folder.length)));
  const hint = isPart ? say.noMatchPartHint : say.noMatchHint;
  if (shown.length === 0) return <None folder={folder} isSearched={search !== ''} hint={hint} />;
  return (
    <Table
      label={say.names}
      kind="kv-names"
      rows={shown}
      columns={[
        {
          name: 'key',
          title: say.key,
          cell: (name) => <Name name={name} shown={name.slice(folder.length)} open={open} />,
          compare: byFolder,
        },
      ]}
      keyOf={(name) => name}
      sortedBy="key"
    />
  );
}

export function AllBelow({ folder, rows, open, search, isPart }: RowsProps) {
  const say = kvWords.value;
  const shown = rows.filter(({ Key, Value }) =>
    hasAll(search, Key.slice(folder.length), () => textOf(Value) ?? ''),
  );
  const hint = isPart ? say.noMatchPartHint : say.noMatchDeepHint;
  if (shown.length === 0) return <None folder={folder} isSearched={search !== ''} hint={hint} />;
  return (
    <Table
      label={say.names}
      kind={open === '' ? 'kv-all' : 'kv-all narrow'}
      rows={shown}
      columns={columns(folder, open)}
      keyOf={({ Key }) => Key}
      sortedBy="key"
    />
  );
}

function columns(folder: string, open: string): readonly Column<KeyValue>[] {
  const say = kvWords.value;
  return [
    {
      name: 'key',
      title: say.key,
      cell: ({ Key }) => <Name name={Key} shown={Key.slice(folder.length)} open={open} />,
      compare: (a, b) => compare(a.Key, b.Key),
    },
    {
      name: 'value',
      title: say.value,
      cell: ({ Value }) => <code>{(textOf(Value) ?? say.notText).slice(0, MAX_SHOWN)}</code>,
    },
    {
      name: 'size',
      title: say.size,
      cell: ({ Value }) => say.bytes(sizeOf(Value)),
      compare: (a, b) => sizeOf(b.Value) - sizeOf(a.Value) || compare(a.Key, b.Key),
    },
    {
      name: 'changed',
      title: say.changed,
      cell: ({ ModifyIndex }) => count(ModifyIndex),
      compare: (a, b) => b.ModifyIndex - a.ModifyIndex,
    },
  ];
}

const MAX_SHOWN = 300;

interface NameProps {
  readonly name: string;
  readonly shown: string;
  readonly open: string;
}

/** Of a folder what is in it, of a key what it says. */
function Name({ name, shown, open }: NameProps) {
  const isFolder = name.endsWith('/') && shown !== '';
  const say = kvWords.value;
  const lead = isFolder ? { folder: name, key: '', search: '' } : { key: name };
  return (
    <button
      type="button"
      class={isFolder ? 'name folder' : 'name'}
      aria-current={name === open ? 'true' : undefined}
      onClick={() => setQuery(lead, { isStep: true })}
    >
      {shown === '' ? name : shown}
      {isUnsaved(name) && <span class="aside"> {say.unsaved}</span>}
    </button>
  );
}

interface NoneProps {
  readonly folder: string;
  readonly isSearched: boolean;
  /** What was searched. */
  readonly hint: string;
}

function None({ folder, isSearched, hint }: NoneProps) {
  const say = kvWords.value;
  if (isSearched) return <Empty title={say.noMatch} hint={hint} />;
  return (
    <Empty title={folder === '' ? say.none : say.noneHere} hint={say.noneHint}>
      <Copyable text={commandText({ words: ['kv', 'put'], args: [`${folder}name`, 'value'] })} />
    </Empty>
  );
}

/** Folders first, as people expect them. */
function byFolder(a: string, b: string): number {
  return Number(b.endsWith('/')) - Number(a.endsWith('/')) || compare(a, b);
}

/** Each word is in one of the texts; the second is made where the first has not all. */
function hasAll(search: string, text: string, more: () => string = () => ''): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const name = text.toLowerCase();
  const left = words.filter((word) => !name.includes(word));
  if (left.length === 0) return true;
  const value = more().toLowerCase();
  return left.every((word) => value.includes(word));
}
