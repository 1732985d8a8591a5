/** One service: how available it was, its instances, what is said of calls to it, and what became of all of it. */
import '../style/service.css';
import { withQuery } from '../core/asked-path.ts';
import { addressOf, type Entry } from '../core/catalog.ts';
import { quoted } from '../core/filter-text.ts';
import { useLive, useTold } from '../core/live.ts';
import { compare, several } from '../core/order.ts';
import type { Availability, Change } from '../core/past.ts';
import type { Given } from '../core/path.ts';
import { href } from '../core/router.ts';
import { RANK, standingOf } from '../core/standing.ts';
import { Chain } from '../ui/chain.tsx';
import type { FilterField } from '../ui/completion.ts';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { type Counts, HealthBar } from '../ui/health-bar.tsx';
import { MAX_CHANGES, Past } from '../ui/past.tsx';
import { everyOne, type Sees } from '../ui/sees.ts';
import { ServiceIntentions } from '../ui/service-intentions.tsx';
import { ServiceTraffic } from '../ui/service-traffic.tsx';
import { Seen } from '../ui/shown.tsx';
import { StatusSign } from '../ui/status.tsx';
import { Strip, StripsToCome } from '../ui/strip.tsx';
import type { Column } from '../ui/table.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Tags } from '../ui/tags.tsx';
import { instanceWords } from '../words/instance-words.ts';
import { pastWords } from '../words/past-words.ts';
import { performanceWords } from '../words/performance-words.ts';
import { routingWords } from '../words/routing-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { count } from '../words/words.ts';

const STEPS = '60';

export function Page({ name = '' }: Given) {
  const encoded = encodeURIComponent(name);
  const filter = useFilter();
  const live = useLive<readonly Entry[]>(
    withQuery(`/v1/health/service/${encoded}`, { filter: filter.expression }),
  );
  const entries = live.value ?? [];
  const say = instanceWords.value;
  const tabs = [
    {
      name: 'instances',
      title: say.instances,
      count: live.value && count(entries.length),
      show: () => <Instances name={name} live={live} />,
    },
    {
      name: 'intentions',
      title: routingWords.value.intentions,
      show: () => <ServiceIntentions name={name} />,
    },
    {
      name: 'routing',
      title: routingWords.value.routing,
      show: () => <Chain name={name} />,
    },
    {
      name: 'traffic',
      title: performanceWords.value.traffic,
      show: () => <ServiceTraffic name={name} />,
    },
    {
      name: 'history',
      title: pastWords.value.history,
      show: () => <History name={name} />,
    },
  ];
  return (
    <>
      <Heading
        title={name}
        // What is chosen says nothing of the service.
        beside={live.value && filter.expression === '' && <HealthBar counts={countsOf(entries)} />}
      />
      <TagLinks tags={several(entries.flatMap(({ Service }) => Service.Tags))} />
      <Availabilities encoded={encoded} />
      <Tabs label={name} tabs={tabs} />
    </>
  );
}

function History({ name }: { readonly name: string }) {
  const past = useLive<readonly Change[]>(
    withQuery(`/v1/internal/history/service/${encodeURIComponent(name)}`, {
      limit: String(MAX_CHANGES),
    }),
  );
  return (
    <Seen of={past} sees={seesOf(name)} isNone={({ length }) => length === 0}>
      {(changes) => <Past changes={changes} />}
    </Seen>
  );
}

/** To see all of its instances, wherever they are. */
function seesOf(name: string): Sees {
  return [{ Resource: 'service', Access: 'read', Segment: name }, everyOne('node')];
}

/** Whoever registers an instance may give it any number. */
const MAX_TAGS = 60;

function TagLinks({ tags }: { readonly tags: readonly string[] }) {
  if (tags.length === 0) return null;
  return (
    <ul class="tag-links" aria-label={instanceWords.value.tags}>
      {tags.slice(0, MAX_TAGS).map((tag) => (
        <li key={tag}>
          <a class="tag" href={withQuery('', { filter: `Service.Tags contains ${quoted(tag)}` })}>
            {tag}
          </a>
        </li>
      ))}
      {tags.length > MAX_TAGS && (
        <li class="aside">{uiWords.value.more(tags.length - MAX_TAGS)}</li>
      )}
    </ul>
  );
}

/** It changes with the time alone too. */
function Availabilities({ encoded }: { readonly encoded: string }) {
  const { value, standing } = useTold<Availability>(
    withQuery(`/v1/internal/availability/service/${encoded}`, { limit: '1', steps: STEPS }),
  );
  if (value === undefined && standing !== 'coming') return null;
  return (
    <section class="strips" aria-label={pastWords.value.availability}>
      {value === undefined && <StripsToCome />}
      {value?.Windows.map((window) => (
        <Strip key={window.Window} window={window} />
      ))}
    </section>
  );
}

interface InstancesProps {
  readonly name: string;
  readonly live: ReturnType<typeof useLive<readonly Entry[]>>;
}

function Instances({ name, live }: InstancesProps) {
  const say = instanceWords.value;
  const filter = useFilter();
  return (
    <Filtered
      of={live}
      sees={seesOf(name)}
      filter={filter}
      textsOf={({ Node, Service }) => [
        Service.ID,
        Node.Node,
        addressOf(Service, Node),
        ...Service.Tags,
      ]}
      example='Service.Meta.version == "2"'
      fields={fieldsOf(live.value ?? [])}
      none={<Empty title={say.noService(name)} hint={say.noServiceHint} />}
      noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
      label={say.instances}
      kind="instances"
      columns={columns()}
      keyOf={({ Node, Service }) => `${Node.Node}\0${Service.ID}`}
      sortedBy="status"
    />
  );
}

function columns(): readonly Column<Entry>[] {
  const say = instanceWords.value;
  return [
    {
      name: 'name',
      title: say.instance,
      cell: ({ Node, Service }) => (
        <a class="whole-row" href={href('services', Service.Service, Node.Node, Service.ID)}>
          {Service.ID}
        </a>
      ),
      compare: byId,
    },
    {
      name: 'status',
      title: say.status,
      cell: ({ Checks }) => <StatusSign status={standingOf(Checks)} />,
      compare: (a, b) => RANK[standingOf(b.Checks)] - RANK[standingOf(a.Checks)] || byId(a, b),
    },
    {
      name: 'checks',
      title: say.checks,
      cell: ({ Checks }) => checksInWords(Checks),
    },
    {
      name: 'node',
      title: say.node,
      cell: ({ Node }) => Node.Node,
      compare: (a, b) => compare(a.Node.Node, b.Node.Node) || byId(a, b),
    },
    {
      name: 'address',
      title: say.address,
      cell: ({ Node, Service }) => <code>{addressOf(Service, Node)}</code>,
    },
    { name: 'tags', title: say.tags, cell: ({ Service }) => <Tags tags={Service.Tags} /> },
  ];
}

/** What it said where it fails, else how many pass. */
function checksInWords(checks: Entry['Checks']) {
  const failing = checks.find(({ Status }) => Status !== 'passing');
  if (failing === undefined)
    return <span class="aside">{uiWords.value.allPassing(checks.length)}</span>;
  const { Name, Output, Notes } = failing;
  return <span title={Output}>{[Name, Output || Notes].filter(Boolean).join(': ')}</span>;
}

function countsOf(entries: readonly Entry[]): Counts {
  const counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 };
  for (const { Checks } of entries) counts[standingOf(Checks)]++;
  return counts;
}

function byId(a: Entry, b: Entry): number {
  return compare(a.Service.ID, b.Service.ID) || compare(a.Node.Node, b.Node.Node);
}

function fieldsOf(rows: readonly Entry[]): readonly FilterField[] {
  return [
    { name: 'Service.ID', kind: 'text', values: () => rows.map(({ Service }) => Service.ID) },
    {
      name: 'Service.Tags',
      kind: 'list',
      values: () => several(rows.flatMap(({ Service }) => Service.Tags)),
    },
    { name: 'Service.Meta', kind: 'map' },
    { name: 'Service.Address', kind: 'text' },
    { name: 'Checks.Status', kind: 'text', values: () => ['passing', 'warning', 'critical'] },
    { name: 'Node.Node', kind: 'text', values: () => several(rows.map(({ Node }) => Node.Node)) },
    { name: 'Node.Meta', kind: 'map' },
  ];
}
