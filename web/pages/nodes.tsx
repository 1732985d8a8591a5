/** Every node: how it stands itself, and how the instances on it do. */
import '../style/nodes.css';
import type { NodeRow } from '../../lib/answers.ts';
import { withQuery } from '../core/asked-path.ts';
import { useRows, useTold } from '../core/live.ts';
import { compare, several } from '../core/order.ts';
import { badness, countsOf } from '../core/overview.ts';
import { href } from '../core/router.ts';
import { rowsBy } from '../core/rows.ts';
import { RANK } from '../core/standing.ts';
import type { FilterField } from '../ui/completion.ts';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { HealthBar } from '../ui/health-bar.tsx';
import { everyOne } from '../ui/sees.ts';
import { StatusSign } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { nodeWords } from '../words/node-words.ts';

/** Of a list of both, of each in its own words. */
const SEES = [everyOne('service'), everyOne('node')];
const ROWS = rowsBy<NodeRow>(({ Node }) => Node);

export function Page() {
  const say = nodeWords.value;
  const filter = useFilter();
  const live = useRows(
    withQuery('/v1/internal/overview/nodes', { filter: filter.expression }),
    ROWS,
  );
  const leader = leaderAt(useTold<string>('/v1/status/leader').value ?? '', live.value ?? []);
  const all = live.value ?? [];
  const failing = all.filter((row) => worst(row) > 1).length;
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(all.length, failing)} />
      <Filtered
        of={live}
        sees={SEES}
        filter={filter}
        textsOf={({ Node, Address, Meta }) => [Node, Address, ...Object.values(Meta)]}
        example='Meta.rack == "r1"'
        fields={fieldsOf(all)}
        none={<Empty title={say.none} hint={say.noneHint} />}
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="nodes"
        columns={columns(leader)}
        keyOf={({ Node }) => Node}
        sortedBy="status"
      />
    </>
  );
}

function columns(leader: string): readonly Column<NodeRow>[] {
  const say = nodeWords.value;
  return [
    {
      name: 'name',
      title: say.node,
      cell: ({ Node }) => (
        <>
          <a class="whole-row" href={href('nodes', Node)}>
            {Node}
          </a>
          {Node === leader && <span class="aside">★ {say.leads}</span>}
        </>
      ),
      compare: byName,
    },
    {
      name: 'status',
      title: say.status,
      cell: ({ Status }) => <StatusSign status={Status} />,
      compare: (a, b) => worst(b) - worst(a) || byName(a, b),
    },
    {
      name: 'health',
      title: say.instances,
      cell: (row) => <HealthBar counts={countsOf(row)} />,
      compare: (a, b) => badness(b) - badness(a) || b.Critical - a.Critical || byName(a, b),
    },
    {
      name: 'since',
      title: say.since,
      cell: ({ Since }) => Since !== null && <Ago at={Date.parse(Since)} />,
    },
    {
      name: 'address',
      title: say.address,
      cell: ({ Address }) => <code>{Address}</code>,
      compare: (a, b) => compare(a.Address, b.Address) || byName(a, b),
    },
  ];
}

/** Of the node and of what is on it. */
function worst(row: NodeRow): number {
  const own = row.Status === 'none' ? 0 : RANK[row.Status];
  return Math.max(own, badness(row));
}

/** Where it is told by an address alone, and only one node has that. */
function leaderAt(address: string, rows: readonly NodeRow[]): string {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const [found, ...others] = rows.filter(({ Address }) => Address === host);
  return found !== undefined && others.length === 0 ? found.Node : '';
}

function byName(a: NodeRow, b: NodeRow): number {
  return compare(a.Node, b.Node);
}

function fieldsOf(rows: readonly NodeRow[]): readonly FilterField[] {
  return [
    { name: 'Node', kind: 'text', values: () => rows.map(({ Node }) => Node) },
    { name: 'Address', kind: 'text', values: () => several(rows.map(({ Address }) => Address)) },
    { name: 'Meta', kind: 'map' },
    { name: 'ID', kind: 'text' },
  ];
}
