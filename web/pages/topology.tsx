/** Who calls whom, drawn, and the same as a table; one alone with those around it. */
import '../style/topology.css';
import { useMemo } from 'preact/hooks';
import type { ServiceRow, UpstreamsRow } from '../../lib/answers.ts';
import { withQuery } from '../core/asked-path.ts';
import { useLive, useRows } from '../core/live.ts';
import { decisionOf, INTENTIONS, type IntentionRow } from '../core/mesh.ts';
import { compare, several } from '../core/order.ts';
import { countsOf } from '../core/overview.ts';
import { href, query, setQuery } from '../core/router.ts';
import { rowsBy } from '../core/rows.ts';
import { type Call, callsAround, callsOf, isOfAny } from '../core/topology.ts';
import { DecisionSign, nameOf } from '../ui/decision.tsx';
import { Empty } from '../ui/empty.tsx';
import { type Filter, FilterBox, hasWords, useFilter } from '../ui/filter-box.tsx';
import { Graph } from '../ui/graph.tsx';
import { Heading } from '../ui/heading.tsx';
import { worstOf } from '../ui/health-bar.tsx';
import { everyOne } from '../ui/sees.ts';
import { Seen } from '../ui/shown.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { intentionWords } from '../words/intention-words.ts';
import { topologyWords } from '../words/topology-words.ts';

const SEES = [everyOne('service'), everyOne('node'), everyOne('intention')];
const SERVICES = rowsBy<ServiceRow>(({ Name }) => Name);

export function Page() {
  const say = topologyWords.value;
  const upstreams = useLive<readonly UpstreamsRow[]>('/v1/internal/overview/upstreams');
  const intentions = useLive<readonly IntentionRow[]>(INTENTIONS);
  const services = useRows('/v1/internal/overview/services', SERVICES);
  const calls = useMemo(
    () => callsOf(upstreams.value ?? [], intentions.value ?? []),
    [upstreams.value, intentions.value],
  );
  const names = useMemo(() => namesIn(calls), [calls]);
  const isComing = intentions.standing === 'coming';
  return (
    <>
      <Heading
        title={say.title}
        beside={upstreams.value && say.summary(names.length, calls.length)}
      />
      {intentions.standing === 'forbidden' && <p class="partial">{say.unseen}</p>}
      {!isComing && (
        <Seen of={upstreams} sees={SEES} isNone={() => calls.length === 0}>
          {() =>
            calls.length === 0 ? (
              <Empty title={say.none} hint={say.noneHint}>
                <a class="button" href={href('intentions', 'new')}>
                  {intentionWords.value.new}
                </a>
              </Empty>
            ) : (
              <Drawn calls={calls} names={names} services={services.value ?? []} />
            )
          }
        </Seen>
      )}
      <Rules of={(intentions.value ?? []).filter(isOfAny)} />
    </>
  );
}

interface DrawnProps {
  readonly calls: readonly Call[];
  readonly names: readonly string[];
  readonly services: readonly ServiceRow[];
}

/** More cannot be told apart. */
const MAX_DRAWN = 400;
/** A browser draws so many lines at once. */
const MAX_LINES = 2000;

function Drawn({ calls, names, services }: DrawnProps) {
  const say = topologyWords.value;
  const filter = useFilter({ hasExpressions: false });
  const focus = query.value.get('focus') ?? '';
  const shown = useMemo(
    () => chosen(calls, names, { focus, filter }),
    [calls, names, focus, filter.words.join(' ')],
  );
  return (
    <>
      <FilterBox example="" fields={[]} shown={shown.names.length} all={names.length} problem="" />
      {focus !== '' && <Focus name={focus} />}
      {shown.names.length === 0 && <Empty title={say.noMatch} hint={say.noMatchHint} />}
      {shown.names.length > MAX_DRAWN || shown.calls.length > MAX_LINES ? (
        <p class="partial">{say.tooMany(shown.names.length, shown.calls.length)}</p>
      ) : (
        <Drawing {...shown} services={services} focus={focus} />
      )}
      {shown.calls.length > 0 && (
        <>
          <h2>{say.table}</h2>
          <Table
            label={say.table}
            kind="calls"
            rows={shown.calls}
            columns={columns()}
            keyOf={({ from, to }) => `${from}\0${to}`}
            sortedBy="from"
          />
        </>
      )}
    </>
  );
}

function Focus({ name }: { readonly name: string }) {
  const say = topologyWords.value;
  return (
    <p class="focused">
      <strong>{say.focused(name)}</strong>
      <button type="button" onClick={() => setQuery({ focus: '' }, { isStep: true })}>
        {say.showAll}
      </button>
      <a class="button" href={href('services', name)}>
        {say.toService}
      </a>
    </p>
  );
}

interface DrawingProps extends DrawnProps {
  readonly focus: string;
}

function Drawing({ calls, names, services, focus }: DrawingProps) {
  const say = topologyWords.value;
  const rows = useMemo(() => new Map(services.map((row) => [row.Name, row])), [services]);
  if (names.length === 0) return null;
  return (
    <Graph
      label={say.drawing}
      names={names}
      calls={calls}
      focus={focus}
      statusOf={(name) => {
        const row = rows.get(name);
        return row === undefined ? 'none' : worstOf(countsOf(row));
      }}
      hrefOf={(name) =>
        name === focus ? href('services', name) : withQuery(href('topology'), { focus: name })
      }
      titleOf={(name) => (name === focus ? name : say.focusOn(name))}
      callHref={hrefOfCall}
      callTitle={callInWords}
    />
  );
}

/** Leads to the intention that decides, or to a new one of the two. */
function hrefOfCall({ from, to, by }: Call): string {
  return by === undefined
    ? withQuery(href('intentions', 'new'), { source: from, destination: to })
    : href('intentions', by.SourceName, by.DestinationName);
}

function callInWords({ from, to, decision }: Call): string {
  const say = topologyWords.value;
  const said = decision === 'default' ? say.default : intentionWords.value.decisions[decision];
  return `${from} → ${to}: ${said}`;
}

function columns(): readonly Column<Call>[] {
  const say = topologyWords.value;
  const link = (name: string) => <a href={withQuery(href('topology'), { focus: name })}>{name}</a>;
  return [
    {
      name: 'from',
      title: say.from,
      cell: ({ from }) => link(from),
      compare: (a, b) => compare(a.from, b.from) || compare(a.to, b.to),
    },
    {
      name: 'to',
      title: say.to,
      cell: ({ to }) => link(to),
      compare: (a, b) => compare(a.to, b.to) || compare(a.from, b.from),
    },
    {
      name: 'decision',
      title: say.decision,
      cell: ({ decision }) =>
        decision === 'default' ? (
          <span class="aside">{say.default}</span>
        ) : (
          <DecisionSign of={decision} />
        ),
      compare: (a, b) => compare(a.decision, b.decision) || compare(a.from, b.from),
    },
    {
      name: 'source',
      title: say.source,
      cell: ({ isCalled }) => (isCalled ? say.byUpstream : say.byIntention),
    },
    {
      name: 'intention',
      title: say.intention,
      cell: (call) => {
        const text =
          call.by === undefined
            ? say.make
            : say.editAny(nameOf(call.by.SourceName), nameOf(call.by.DestinationName));
        return (
          <a href={hrefOfCall(call)} aria-label={`${text}: ${callInWords(call)}`}>
            {text}
          </a>
        );
      },
    },
  ];
}

function Rules({ of }: { readonly of: readonly IntentionRow[] }) {
  if (of.length === 0) return null;
  return (
    <section class="any-rules">
      <h2>{topologyWords.value.rules}</h2>
      <ul>
        {of.map((row) => (
          <li key={`${row.SourceName}\0${row.DestinationName}`}>
            <a href={href('intentions', row.SourceName, row.DestinationName)}>
              {nameOf(row.SourceName)} → {nameOf(row.DestinationName)}
            </a>{' '}
            <DecisionSign of={decisionOf(row)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function namesIn(calls: readonly Call[]): readonly string[] {
  return several(calls.flatMap(({ from, to }) => [from, to]));
}

interface Choosing {
  readonly focus: string;
  readonly filter: Filter;
}

/** What is looked for, with all that is around it. */
function chosen(calls: readonly Call[], names: readonly string[], { focus, filter }: Choosing) {
  const hits = names.filter((name) => hasWords(filter, [name]));
  const isAll = focus === '' && hits.length === names.length;
  if (isAll) return { calls, names };
  const wanted = focus === '' ? hits : [focus];
  const { calls: kept, seen } = callsAround(calls, wanted);
  return { calls: kept, names: names.filter((name) => seen.has(name)) };
}
