/** Every service: how its instances stand and since when, what it is, and where it comes from. */
import '../style/services.css';
import type { ServiceRow } from '../../lib/answers.ts';
import { withQuery } from '../core/asked-path.ts';
import { useRows } from '../core/live.ts';
import { compare, several } from '../core/order.ts';
import { badness, countsOf } from '../core/overview.ts';
import { href } from '../core/router.ts';
import { rowsBy } from '../core/rows.ts';
import { Copyable } from '../ui/commands.tsx';
import type { FilterField } from '../ui/completion.ts';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { HealthBar } from '../ui/health-bar.tsx';
import { everyOne } from '../ui/sees.ts';
import type { Column } from '../ui/table.tsx';
import { Tags } from '../ui/tags.tsx';
import { Ago } from '../ui/time.tsx';
import { servicesWords } from '../words/services-words.ts';

/** Of a list of both, of each in its own words. */
const SEES = [everyOne('service'), everyOne('node')];
const ROWS = rowsBy<ServiceRow>(({ Name }) => Name);

export function Page() {
  const say = servicesWords.value;
  const filter = useFilter();
  const live = useRows(
    withQuery('/v1/internal/overview/services', { filter: filter.expression }),
    ROWS,
  );
  const all = live.value ?? [];
  const failing = all.filter((row) => badness(row) > 1).length;
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(all.length, failing)} />
      <Filtered
        of={live}
        sees={SEES}
        filter={filter}
        textsOf={({ Name, Kind, Tags: tags, Sources }) => [Name, Kind, ...tags, ...Sources]}
        example='Service.Tags contains "blue"'
        fields={fieldsOf(all)}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text="proconsul services register -name=web -port=8080" />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="services"
        columns={columns()}
        keyOf={({ Name }) => Name}
        sortedBy="health"
      />
    </>
  );
}

function columns(): readonly Column<ServiceRow>[] {
  const say = servicesWords.value;
  return [
    {
      name: 'name',
      title: say.name,
      cell: ({ Name, Kind, HasProxy }) => (
        <>
          <a class="whole-row" href={href('services', Name)}>
            {Name}
          </a>
          <span class="aside">{HasProxy ? say.inMesh : kindInWords(Kind)}</span>
        </>
      ),
      compare: byName,
    },
    {
      name: 'health',
      title: say.health,
      cell: (row) => <HealthBar counts={countsOf(row)} />,
      compare: (a, b) => badness(b) - badness(a) || b.Critical - a.Critical || byName(a, b),
    },
    {
      name: 'since',
      title: say.since,
      cell: ({ Since }) => Since !== null && <Ago at={Date.parse(Since)} />,
      compare: (a, b) => timeOf(b) - timeOf(a) || byName(a, b),
    },
    { name: 'tags', title: say.tags, cell: ({ Tags: tags }) => <Tags tags={tags} /> },
    {
      name: 'source',
      title: say.source,
      cell: ({ Sources }) => Sources.join(', '),
      compare: (a, b) => compare(a.Sources.join(), b.Sources.join()) || byName(a, b),
    },
  ];
}

/** What a filter may ask for; it is of instances, each with its node and its checks. */
function fieldsOf(rows: readonly ServiceRow[]): readonly FilterField[] {
  return [
    { name: 'Service.Service', kind: 'text', values: () => rows.map(({ Name }) => Name) },
    { name: 'Service.Tags', kind: 'list', values: () => several(rows.flatMap(({ Tags }) => Tags)) },
    { name: 'Service.Meta', kind: 'map' },
    { name: 'Service.Kind', kind: 'text', values: () => Object.keys(servicesWords.value.kinds) },
    { name: 'Service.Port', kind: 'text' },
    { name: 'Checks.Status', kind: 'text', values: () => ['passing', 'warning', 'critical'] },
    { name: 'Node.Node', kind: 'text' },
    { name: 'Node.Meta', kind: 'map' },
    { name: 'Node.Address', kind: 'text' },
  ];
}

function kindInWords(kind: string): string {
  const { kinds } = servicesWords.value;
  return Object.entries(kinds).find(([name]) => name === kind)?.[1] ?? kind;
}

function byName(a: ServiceRow, b: ServiceRow): number {
  return compare(a.Name, b.Name);
}

function timeOf({ Since }: ServiceRow): number {
  return Since === null ? 0 : Date.parse(Since);
}
