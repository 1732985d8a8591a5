/** Config entries: every one there is, by kind, and which services it names. */
import '../style/config.css';
import { type ConfigEntryRow, isKind, leadsTo } from '../core/config-entries.ts';
import { useLive } from '../core/live.ts';
import { compare, several } from '../core/order.ts';
import { href, query, setQuery } from '../core/router.ts';
import { Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Choice } from '../ui/form.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { everyOne } from '../ui/sees.ts';
import type { Column } from '../ui/table.tsx';
import { Tags } from '../ui/tags.tsx';
import { configWords } from '../words/config-words.ts';
import { count } from '../words/words.ts';

/** Each kind is seen by one of them. */
const SEES = [
  everyOne('service'),
  everyOne('intention'),
  { Resource: 'mesh', Access: 'read' },
] as const;
/** And made by one. */
const MAKES = [
  { Resource: 'service', Access: 'write-any' },
  { Resource: 'intention', Access: 'write-any' },
  { Resource: 'mesh', Access: 'write' },
] as const;

export function Page() {
  const say = configWords.value;
  const filter = useFilter({ hasExpressions: false });
  const live = useLive<readonly ConfigEntryRow[]>('/v1/config/');
  const all = live.value ?? [];
  const kind = query.value.get('kind') ?? '';
  const kinds = several([...all.map(({ Kind }) => Kind), ...(kind === '' ? [] : [kind])]);
  const ofKind = kind === '' ? live.value : all.filter(({ Kind }) => Kind === kind);
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(all.length)}>
        <May right={MAKES}>
          <a class="button" href={href('config', 'new')}>
            {say.new}
          </a>
        </May>
      </Heading>
      {kinds.length > 1 && (
        <div class="of-kind">
          <Choice<string>
            label={say.kind}
            value={kind}
            of={{ '': say.all, ...Object.fromEntries(kinds.map((each) => [each, each])) }}
            onChoose={(next) => setQuery({ kind: next })}
          />
        </div>
      )}
      <Filtered
        of={{ ...live, value: ofKind }}
        sees={SEES}
        filter={filter}
        textsOf={(entry) => [entry.Kind, entry.Name, ...leadsTo(entry)]}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text="proconsul config write web.hcl" />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="config"
        columns={columns()}
        keyOf={({ Kind, Name }) => `${Kind}\0${Name}`}
        sortedBy="kind"
      />
    </>
  );
}

function columns(): readonly Column<ConfigEntryRow>[] {
  const say = configWords.value;
  return [
    {
      name: 'name',
      title: say.name,
      cell: ({ Kind, Name }) => (
        <a class="whole-row" href={href('config', Kind, Name)}>
          {Name}
        </a>
      ),
      compare: (a, b) => compare(a.Name, b.Name) || compare(a.Kind, b.Kind),
    },
    {
      name: 'kind',
      title: say.kind,
      cell: ({ Kind }) => Kind,
      compare: (a, b) => compare(a.Kind, b.Kind) || compare(a.Name, b.Name),
    },
    {
      name: 'says',
      title: say.says,
      cell: ({ Kind }) => <span class="aside">{isKind(Kind) && say.kinds[Kind]}</span>,
    },
    {
      name: 'names',
      title: say.leadsTo,
      cell: (entry) => <Tags tags={leadsTo(entry)} />,
    },
    {
      name: 'index',
      title: say.index,
      cell: ({ ModifyIndex }) => count(ModifyIndex),
      compare: (a, b) => b.ModifyIndex - a.ModifyIndex,
    },
  ];
}
