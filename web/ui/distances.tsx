/** How far other nodes are from one, as their coordinates say. */
import { useMemo } from 'preact/hooks';
import type { NodeCoordinate } from '../../lib/model.ts';
import { curlOf } from '../core/commands.ts';
import { type Distance, distancesFrom, placeAt, spanOf } from '../core/coordinates.ts';
import { useLive } from '../core/live.ts';
import { compare } from '../core/order.ts';
import { href } from '../core/router.ts';
import { nodeWords } from '../words/node-words.ts';
import { locale } from '../words/words.ts';
import { asker, Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { everyOne } from './sees.ts';
import { Seen } from './shown.tsx';
import { type Column, Table } from './table.tsx';

const EXAMPLE = { Vec: [0.01, 0, 0, 0, 0, 0, 0, 0], Error: 0.5, Adjustment: 0, Height: 0.0001 };

export function Distances({ name }: { readonly name: string }) {
  const live = useLive<readonly NodeCoordinate[]>('/v1/coordinate/nodes');
  const rows = useMemo(() => distancesFrom(name, live.value ?? []), [name, live.value]);
  return (
    <Seen of={live} sees={everyOne('node')} isNone={() => rows.length === 0}>
      {() => (rows.length === 0 ? <None name={name} /> : <Others rows={rows} />)}
    </Seen>
  );
}

function None({ name }: { readonly name: string }) {
  const say = nodeWords.value;
  return (
    <Empty title={say.noDistances} hint={say.noDistancesHint}>
      <Copyable text={curlOf(placeAt(name, EXAMPLE), asker())} />
    </Empty>
  );
}

function Others({ rows }: { readonly rows: readonly Distance[] }) {
  const say = nodeWords.value;
  const span = spanOf(rows);
  return (
    <>
      {span && (
        <p class="aside">
          {say.span(inMs(span.nearest), inMs(span.middle), inMs(span.farthest))} {say.estimated}
        </p>
      )}
      <Table
        label={say.distances}
        kind="distances"
        rows={rows}
        columns={columns()}
        keyOf={({ node, segment }) => `${node}\0${segment}`}
        sortedBy="distance"
      />
    </>
  );
}

function columns(): readonly Column<Distance>[] {
  const say = nodeWords.value;
  const byNode = (a: Distance, b: Distance) => compare(a.node, b.node);
  return [
    {
      name: 'name',
      title: say.node,
      cell: ({ node, segment }) => (
        <>
          <a class="whole-row" href={href('nodes', node)}>
            {node}
          </a>
          {segment !== '' && <span class="aside">{segment}</span>}
        </>
      ),
      compare: byNode,
    },
    {
      name: 'distance',
      title: say.distance,
      cell: ({ ms }) => inMs(ms),
      compare: (a, b) => a.ms - b.ms || byNode(a, b),
    },
  ];
}

function inMs(ms: number): string {
  return nodeWords.value.ms(ms.toLocaleString(locale.value, { maximumSignificantDigits: 3 }));
}
