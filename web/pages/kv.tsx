/** Keys: folders on one side, and beside them what a key says, who has its lock, and what it said before. */
import '../style/kv.css';
import { useRef } from 'preact/hooks';
import type { KeyValue } from '../../lib/model.ts';
import { curlOf } from '../core/commands.ts';
import { firstNames, firstRows, pathOfNames, pathOfRows } from '../core/key-rows.ts';
import { useKey } from '../core/keys.ts';
import { canBeAsked, deleteFolder, readKeys, wayTo } from '../core/keys-and-values.ts';
import { useLive } from '../core/live.ts';
import { useMay } from '../core/rights.ts';
import { query, setQuery } from '../core/router.ts';
import { askFirst } from '../ui/asked.tsx';
import { asker, Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { Heading } from '../ui/heading.tsx';
import { Editor } from '../ui/kv-editor.tsx';
import { AllBelow, Names } from '../ui/kv-names.tsx';
import { NewKey } from '../ui/kv-new.tsx';
import { everyOne } from '../ui/sees.ts';
import { Seen } from '../ui/shown.tsx';
import { kvWords } from '../words/kv-words.ts';
import { shellWords } from '../words/shell-words.ts';

export function Page() {
  const say = kvWords.value;
  const folder = query.value.get('folder') ?? '';
  const key = query.value.get('key') ?? '';
  const mayDelete = useMay({ Resource: 'key', Access: 'write-prefix', Segment: folder });
  return (
    <>
      <Heading title={say.title}>
        {mayDelete && folder.endsWith('/') && canBeAsked(folder) && (
          <button type="button" onClick={() => askDeleteFolder(folder)}>
            {say.deleteFolder}
          </button>
        )}
        <NewKey folder={folder} />
      </Heading>
      <Way folder={folder} />
      <div class={key === '' ? 'kv' : 'kv beside'}>
        <section class="kv-list" aria-label={say.names}>
          {canBeAsked(folder) ? (
            <List folder={folder} open={key} />
          ) : (
            <Empty title={say.unaskable} hint={say.unaskableHint}>
              <Copyable text={curlOf(readKeys('get-tree', folder), asker())} />
            </Empty>
          )}
        </section>
        {key !== '' && <Editor key={key} name={key} />}
      </div>
    </>
  );
}

/** The folders around, each a way back. */
function Way({ folder }: { readonly folder: string }) {
  const say = kvWords.value;
  const step = (to: string, text: string) => (
    <li key={to}>
      <button
        type="button"
        class="quiet"
        aria-current={to === folder ? 'true' : undefined}
        onClick={() => setQuery({ folder: to, key: '', search: '' }, { isStep: true })}
      >
        {text}
      </button>
    </li>
  );
  return (
    <nav aria-label={say.folderIs}>
      <ol class="way">
        {step('', say.all)}
        {wayTo(folder).map((each) => step(each, each.split('/').at(-2) || '/'))}
      </ol>
    </nav>
  );
}

interface ListProps {
  readonly folder: string;
  readonly open: string;
}

function List({ folder, open }: ListProps) {
  const say = kvWords.value;
  const isDeep = query.value.get('deep') === 'yes';
  const search = query.value.get('search') ?? '';
  const input = useRef<HTMLInputElement>(null);
  useKey(
    '/',
    () => shellWords.value.focusFilter,
    () => input.current?.focus(),
  );
  return (
    <>
      <div class="kv-search">
        <input
          ref={input}
          type="search"
          aria-label={say.search}
          placeholder={isDeep ? say.searchDeepHint : say.searchHint}
          value={search}
          onInput={({ currentTarget }) => setQuery({ search: currentTarget.value })}
        />
        <label>
          <input
            type="checkbox"
            checked={isDeep}
            onChange={({ currentTarget }) => setQuery({ deep: currentTarget.checked ? 'yes' : '' })}
          />
          {say.deep}
        </label>
      </div>
      {isDeep ? (
        <Deep folder={folder} open={open} search={search} />
      ) : (
        <Flat folder={folder} open={open} search={search} />
      )}
    </>
  );
}

interface SearchedProps extends ListProps {
  readonly search: string;
}

function Flat({ folder, open, search }: SearchedProps) {
  const live = useLive<readonly string[]>(pathOfNames(folder));
  const shown = { folder, open, search };
  const none = <Names {...shown} names={[]} isPart={false} />;
  return (
    <Seen of={live} sees={everyOne('key', folder)} isNone={isEmpty} missing={none}>
      {(all) => {
        const { names: first, hasMore } = firstNames(all);
        // A folder may be a key itself, which its list shows beside it.
        const names = first.filter((name) => name !== folder);
        return (
          <>
            {hasMore && (
              <p class="partial" role="status">
                {kvWords.value.firstNames(names.length)}
              </p>
            )}
            <Names {...shown} names={names} isPart={hasMore} />
          </>
        );
      }}
    </Seen>
  );
}

function Deep({ folder, open, search }: SearchedProps) {
  const live = useLive<readonly KeyValue[]>(pathOfRows(folder));
  const shown = { folder, open, search };
  const none = <AllBelow {...shown} rows={[]} isPart={false} />;
  return (
    <Seen of={live} sees={everyOne('key', folder)} isNone={isEmpty} missing={none}>
      {(all) => {
        const { rows: first, end } = firstRows(all);
        return (
          <>
            {end && (
              <p class="partial" role="status">
                {kvWords.value.firstBelow[end](first.length)}
              </p>
            )}
            <AllBelow {...shown} rows={first} isPart={end !== undefined} />
          </>
        );
      }}
    </Seen>
  );
}

function isEmpty({ length }: readonly unknown[]): boolean {
  return length === 0;
}

function askDeleteFolder(folder: string): void {
  const say = kvWords.peek();
  askFirst({
    title: say.deleteFolder,
    text: say.deleteFolderText(folder),
    action: deleteFolder(folder),
    verb: say.deleteFolder,
    done: say.folderDeleted(folder),
    isGrave: true,
  });
}
