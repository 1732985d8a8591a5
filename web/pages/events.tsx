/** User events, as agents hear of them, and firing one. */
import '../style/events.css';
import { useMemo } from 'preact/hooks';
import type { UserEvent } from '../../lib/model.ts';
import { filtersOf } from '../core/events.ts';
import { useLive } from '../core/live.ts';
import { compare } from '../core/order.ts';
import { textOf } from '../core/values.ts';
import { Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { FireEvent } from '../ui/event-form.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { everyOne } from '../ui/sees.ts';
import type { Column } from '../ui/table.tsx';
import { eventWords } from '../words/event-words.ts';
import { count } from '../words/words.ts';

/** The server tells them by their order. */
interface Numbered extends UserEvent {
  readonly number: number;
}

export function Page() {
  const say = eventWords.value;
  const live = useLive<readonly UserEvent[]>('/v1/event/list');
  const { value, ...rest } = live;
  const rows = useMemo(() => value?.map((event, i) => ({ ...event, number: i + 1 })), [value]);
  return (
    <>
      <Heading title={say.title} beside={value && say.summary(value.length)}>
        <FireEvent />
      </Heading>
      <Filtered
        of={{ ...rest, value: rows }}
        sees={everyOne('event')}
        filter={useFilter({ hasExpressions: false })}
        textsOf={({ Name, ID, Payload }) => [Name, ID, textOf(Payload) ?? '']}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text="proconsul event -name=deploy 1.2.3" />
            <Copyable text="proconsul watch -type=event -name=deploy ./deploy.sh" />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="events"
        columns={columns()}
        keyOf={({ ID }) => ID}
        sortedBy="order"
      />
    </>
  );
}

function columns(): readonly Column<Numbered>[] {
  const say = eventWords.value;
  return [
    {
      name: 'order',
      title: say.order,
      cell: ({ number }) => <span class="aside">{count(number)}</span>,
      compare: (a, b) => b.number - a.number,
    },
    {
      name: 'name',
      title: say.name,
      cell: ({ Name, ID }) => (
        <span title={ID}>
          <strong>{Name}</strong>
        </span>
      ),
      compare: (a, b) => compare(a.Name, b.Name) || b.number - a.number,
    },
    {
      name: 'says',
      title: say.says,
      cell: ({ Payload }) => <Says payload={Payload} />,
    },
    { name: 'who', title: say.who, cell: whoInWords },
  ];
}

function Says({ payload }: { readonly payload: UserEvent['Payload'] }) {
  const say = eventWords.value;
  if (payload === null) return <span class="aside">{say.nothing}</span>;
  const text = textOf(payload);
  if (text === undefined) return <span class="aside">{say.bytes}</span>;
  return <code title={text}>{text}</code>;
}

function whoInWords(event: UserEvent) {
  const say = eventWords.value;
  const { node, service, tag } = filtersOf(event);
  const parts = [
    node !== '' && say.nodes(node),
    service !== '' && say.services(service),
    tag !== '' && say.tags(tag),
  ].filter((part) => part !== false);
  return parts.length === 0 ? <span class="aside">{say.everybody}</span> : parts.join(' · ');
}
