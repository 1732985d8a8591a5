/** Who may call whom: every intention, the one that counts first in front, and what comes of them for a call. */
import '../style/intentions.css';
import { withQuery } from '../core/asked-path.ts';
import { useLive } from '../core/live.ts';
import { decisionOf, INTENTIONS, type IntentionRow, rankOf } from '../core/mesh.ts';
import { compare, several } from '../core/order.ts';
import { href } from '../core/router.ts';
import { Copyable } from '../ui/commands.tsx';
import type { FilterField } from '../ui/completion.ts';
import { DecisionSign, nameOf } from '../ui/decision.tsx';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { MayCall } from '../ui/may-call.tsx';
import { everyOne } from '../ui/sees.ts';
import type { Column } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { intentionWords } from '../words/intention-words.ts';

export function Page() {
  const say = intentionWords.value;
  const filter = useFilter();
  const live = useLive<readonly IntentionRow[]>(
    withQuery(INTENTIONS, { filter: filter.expression }),
  );
  const isFiltered = filter.expression !== '';
  const all = useLive<readonly IntentionRow[]>(isFiltered ? INTENTIONS : '');
  const services = useLive<Readonly<Record<string, readonly string[]>>>('/v1/catalog/services');
  const rows = live.value ?? [];
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(rows.length)}>
        <May right={{ Resource: 'intention', Access: 'write-any' }}>
          <a class="button" href={href('intentions', 'new')}>
            {say.new}
          </a>
        </May>
      </Heading>
      <MayCall intentions={isFiltered ? all : live} names={Object.keys(services.value ?? {})} />
      <Filtered
        of={live}
        sees={everyOne('intention')}
        filter={filter}
        textsOf={(row) => [
          nameOf(row.SourceName),
          nameOf(row.DestinationName),
          row.Description,
          say.decisions[decisionOf(row)],
        ]}
        example='DestinationName == "db"'
        fields={fieldsOf(rows)}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text="proconsul intention create -deny '*' db" />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="intentions"
        columns={columns()}
        keyOf={({ SourceName, DestinationName }) => `${SourceName}\0${DestinationName}`}
        sortedBy="rank"
      />
    </>
  );
}

function columns(): readonly Column<IntentionRow>[] {
  const say = intentionWords.value;
  return [
    {
      name: 'call',
      title: say.call,
      cell: ({ SourceName, DestinationName }) => (
        <a class="whole-row" href={href('intentions', SourceName, DestinationName)}>
          {nameOf(SourceName)} → {nameOf(DestinationName)}
        </a>
      ),
      compare: byNames,
    },
    {
      name: 'decision',
      title: say.decision,
      cell: (row) => <DecisionSign of={decisionOf(row)} />,
      compare: (a, b) => compare(decisionOf(a), decisionOf(b)) || byNames(a, b),
    },
    {
      name: 'rank',
      title: say.rank,
      cell: (row) => say.ranks[rankOf(row)],
      compare: (a, b) => rankOf(a) - rankOf(b) || byNames(a, b),
    },
    {
      name: 'description',
      title: say.description,
      cell: ({ Description }) => <span class="aside">{Description}</span>,
    },
    {
      name: 'changed',
      title: say.changed,
      cell: ({ UpdatedAt }) => Date.parse(UpdatedAt) > 0 && <Ago at={Date.parse(UpdatedAt)} />,
      compare: (a, b) => compare(b.UpdatedAt, a.UpdatedAt),
    },
  ];
}

function byNames(a: IntentionRow, b: IntentionRow): number {
  return compare(a.SourceName, b.SourceName) || compare(a.DestinationName, b.DestinationName);
}

function fieldsOf(rows: readonly IntentionRow[]): readonly FilterField[] {
  return [
    {
      name: 'SourceName',
      kind: 'text',
      values: () => several(rows.map(({ SourceName }) => SourceName)),
    },
    {
      name: 'DestinationName',
      kind: 'text',
      values: () => several(rows.map(({ DestinationName }) => DestinationName)),
    },
    { name: 'Action', kind: 'text', values: () => ['allow', 'deny'] },
    { name: 'Description', kind: 'text' },
    { name: 'Meta', kind: 'map' },
  ];
}
