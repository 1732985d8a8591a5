/** Prepared queries: what each looks for, and how. */
import '../style/queries.css';
import type { PreparedQuery } from '../../lib/model.ts';
import { useLive } from '../core/live.ts';
import { compare } from '../core/order.ts';
import { isTemplate, nameOf } from '../core/prepared-queries.ts';
import { href } from '../core/router.ts';
import { Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { failoverInWords, namesInWords, narrowedTo, serviceOf } from '../ui/query-facts.tsx';
import { everyOne } from '../ui/sees.ts';
import type { Column } from '../ui/table.tsx';
import { queryWords } from '../words/query-words.ts';

/** There is no command for it. */
const EXAMPLE = `curl -X POST ${location.origin}/v1/query --data-raw '{"Name": "web", "Service": {"Service": "web", "OnlyPassing": true}}'`;

export function Page() {
  const say = queryWords.value;
  const live = useLive<readonly PreparedQuery[]>('/v1/query');
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(live.value.length)} />
      <Filtered
        of={live}
        sees={everyOne('query')}
        filter={useFilter({ hasExpressions: false })}
        textsOf={({ Name, ID, Service }) => [Name, ID, Service.Service]}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text={EXAMPLE} />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="queries"
        columns={columns()}
        keyOf={({ ID }) => ID}
        sortedBy="name"
      />
    </>
  );
}

function columns(): readonly Column<PreparedQuery>[] {
  const say = queryWords.value;
  return [
    {
      name: 'name',
      title: say.name,
      cell: (query) => (
        <>
          <a class="whole-row" href={href('queries', query.ID)}>
            {query.Name || (isTemplate(query) ? namesInWords(query) : query.ID)}
          </a>{' '}
          {query.Name !== '' && <span class="aside">{namesInWords(query)}</span>}
        </>
      ),
      compare: byName,
    },
    {
      name: 'service',
      title: say.service,
      cell: serviceOf,
      compare: (a, b) => compare(a.Service.Service, b.Service.Service) || byName(a, b),
    },
    {
      name: 'narrowed',
      title: say.narrowed,
      cell: ({ Service }) => {
        const parts = narrowedTo(Service);
        return parts.length === 0 ? (
          <span class="aside">{say.nothingElse}</span>
        ) : (
          <span title={parts.join(', ')}>{parts.join(', ')}</span>
        );
      },
    },
    { name: 'failover', title: say.failover, cell: ({ Service }) => failoverInWords(Service) },
    { name: 'ttl', title: say.ttl, cell: ({ DNS }) => DNS.TTL || '–' },
  ];
}

function byName(a: PreparedQuery, b: PreparedQuery): number {
  return compare(nameOf(a), nameOf(b)) || compare(a.ID, b.ID);
}
