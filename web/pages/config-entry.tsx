/** One config entry: what it says, what it names and what names the same, and how it is changed. */
import '../style/config.css';
import { useState } from 'preact/hooks';
import { withQuery } from '../core/asked-path.ts';
import {
  type ConfigEntryRow,
  deleteEntry,
  entriesAbout,
  entryPath,
  isKind,
  isOfService,
  leadsTo,
  rightOf,
  shownTextOf,
  textOf,
  writeEntry,
} from '../core/config-entries.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { go, href, query, setQuery } from '../core/router.ts';
import { askFirst } from '../ui/asked.tsx';
import { ConfigForm } from '../ui/config-form.tsx';
import { useEdited } from '../ui/edited.tsx';
import { Empty } from '../ui/empty.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { Shown } from '../ui/shown.tsx';
import { accessWords } from '../words/access-words.ts';
import { configWords } from '../words/config-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { count } from '../words/words.ts';

export function Page({ kind = '', name = '' }: Given) {
  const asksToEdit = query.value.get('edit') === 'yes';
  const [live, note] = useEdited(useLive<ConfigEntryRow>(entryPath(kind, name)), asksToEdit);
  const all = useLive<readonly ConfigEntryRow[]>('/v1/config/');
  const right = rightOf({ Kind: kind, Name: name });
  const mayWrite = useMay(right);
  const isEditing = asksToEdit && mayWrite;
  const close = () => setQuery({ edit: '' });
  return (
    <>
      <Heading title={name} beside={<a href={href('config')}>{kind}</a>}>
        {live.value !== undefined && !isEditing && (
          <May right={right}>
            <button type="button" onClick={() => setQuery({ edit: 'yes' })}>
              {uiWords.value.edit}
            </button>
            <button type="button" onClick={() => live.value && askDelete(live.value)}>
              {uiWords.value.delete}
            </button>
          </May>
        )}
      </Heading>
      {note}
      <Shown of={live} missing={<None kind={kind} name={name} mayWrite={mayWrite} />}>
        {(entry) =>
          isEditing ? (
            <ConfigForm entry={entry} onDone={close} onCancel={close} />
          ) : (
            <>
              <Facts facts={factsOf(entry)} />
              <EntryText of={entry} />
              {isOfService(entry) && <About entry={entry} all={all.value ?? []} />}
            </>
          )
        }
      </Shown>
    </>
  );
}

/** What is secret in it is shown when it is asked for. */
function EntryText({ of: entry }: { readonly of: ConfigEntryRow }) {
  const say = accessWords.value;
  const [isShown, setShown] = useState(false);
  const [whole, hidden] = [textOf(entry), shownTextOf(entry)];
  return (
    <>
      {whole !== hidden && (
        <button type="button" onClick={() => setShown(!isShown)}>
          {isShown ? say.hide : say.show} {say.secret}
        </button>
      )}
      <pre class="entry" role="figure" aria-label={configWords.value.entry}>
        {isShown ? whole : hidden}
      </pre>
    </>
  );
}

function factsOf(entry: ConfigEntryRow): readonly Fact[] {
  const say = configWords.value;
  const { Kind, Name, ModifyIndex } = entry;
  const named = leadsTo(entry);
  return [
    ...(isKind(Kind) ? [[say.says, say.kinds[Kind]] as const] : []),
    ...(isOfService(entry) ? [[say.service, <ServiceLink key="of" name={Name} />] as const] : []),
    ...(named.length === 0
      ? []
      : [
          [
            say.leadsTo,
            <span key="names" class="names">
              {named.map((each) => (
                <ServiceLink key={each} name={each} />
              ))}
            </span>,
          ] as const,
        ]),
    [say.index, count(ModifyIndex)],
  ];
}

function ServiceLink({ name }: { readonly name: string }) {
  return <a href={href('services', name)}>{name}</a>;
}

interface AboutProps {
  readonly entry: ConfigEntryRow;
  readonly all: readonly ConfigEntryRow[];
}

function About({ entry, all }: AboutProps) {
  const say = configWords.value;
  const others = entriesAbout(all, entry.Name).filter(
    ({ Kind, Name }) => Kind !== entry.Kind || Name !== entry.Name,
  );
  return (
    <section>
      <h2>{say.about}</h2>
      {others.length === 0 && <p class="aside">{say.nothingAbout}</p>}
      <ul class="about">
        {others.map(({ Kind, Name }) => (
          <li key={`${Kind}/${Name}`}>
            <a href={href('config', Kind, Name)}>
              {Kind} {Name}
            </a>{' '}
            <span class="aside">{Name === entry.Name ? say.of : say.from}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface NoneProps {
  readonly kind: string;
  readonly name: string;
  readonly mayWrite: boolean;
}

function None({ kind, name, mayWrite }: NoneProps) {
  const say = configWords.value;
  return (
    <Empty title={say.gone} hint={say.goneHint}>
      <span>
        {mayWrite && isKind(kind) && (
          <a class="button" href={withQuery(href('config', 'new'), { kind, name })}>
            {say.make}
          </a>
        )}{' '}
        <a class="button" href={href('config')}>
          {say.toList}
        </a>
      </span>
    </Empty>
  );
}

function askDelete(entry: ConfigEntryRow): void {
  const say = configWords.peek();
  const { Kind, Name } = entry;
  askFirst({
    title: say.delete,
    text: say.deleteText(Kind, Name),
    action: deleteEntry(entry),
    verb: say.delete,
    done: say.deleted(Kind, Name),
    undo: { action: () => writeEntry(textOf(entry), 0), at: '', left: 'nothing' },
    leads: () => go(href('config'), { replaces: true }),
  });
}
