/** The servers: how each is, which names it answers for, and the log that makes them one. */
import '../style/cluster.css';
import { withQuery } from '../core/api.ts';
import {
  type ClusterState,
  figureOf,
  type Metrics,
  numbersOf,
  type RingState,
  type ServerRow,
  serverRows,
} from '../core/cluster.ts';
import { useLive } from '../core/live.ts';
import { query, setQuery } from '../core/router.ts';
import { Empty } from '../ui/empty.tsx';
import { Heading } from '../ui/heading.tsx';
import { Ring } from '../ui/ring.tsx';
import { Shown } from '../ui/shown.tsx';
import { StatusSign } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { clusterWords } from '../words/cluster-words.ts';
import { locale, percent } from '../words/words.ts';

export function Page() {
  const say = clusterWords.value;
  const name = query.value.get('name') ?? '';
  const cluster = useLive<ClusterState>('/v1/operator/autopilot/state');
  const ring = useLive<RingState>(withQuery('/v1/agent/ring', { key: name }));
  const metrics = useLive<Metrics>('/v1/agent/metrics');
  const count = Object.keys(cluster.value?.Servers ?? {}).length;
  return (
    <>
      <Heading
        title={say.title}
        beside={cluster.value && count > 0 && say.summary(count, cluster.value.FailureTolerance)}
      />
      <Shown of={cluster}>{(value) => <Servers rows={serverRows(value, ring.value)} />}</Shown>
      <section class="cluster-part">
        <h2>{say.ring}</h2>
        <p class="aside">{say.ringHint}</p>
        <Shown of={ring}>
          {(value) => <RingOf ring={value} name={name} numbers={numbersOf(cluster.value, value)} />}
        </Shown>
      </section>
      <section class="cluster-part">
        <h2>{say.log}</h2>
        <p class="aside">{say.logHint}</p>
        <Shown of={metrics}>{(value) => <Log metrics={value} />}</Shown>
      </section>
    </>
  );
}

function Servers({ rows }: { readonly rows: readonly ServerRow[] }) {
  const say = clusterWords.value;
  if (rows.length === 0) return <Empty title={say.young} hint={say.youngHint} />;
  return (
    <Table
      label={say.servers}
      kind="servers"
      rows={rows}
      columns={columns()}
      keyOf={({ ID }) => ID}
      sortedBy="name"
    />
  );
}

function columns(): readonly Column<ServerRow>[] {
  const say = clusterWords.value;
  return [
    {
      name: 'name',
      title: say.server,
      cell: ({ number, Name, leads }) => (
        <>
          <span class="number">{number}</span>
          {Name}
          {leads && <span class="aside">{say.leads}</span>}
        </>
      ),
      compare: (a, b) => a.number - b.number,
    },
    { name: 'state', title: say.state, cell: standingOf },
    { name: 'address', title: say.address, cell: ({ Address }) => Address },
    {
      name: 'share',
      title: say.lookups,
      cell: ({ share }) => (share === undefined ? '–' : percent(share)),
    },
    {
      name: 'applied',
      title: say.applied,
      cell: ({ LastIndex, behind }) => (
        <>
          {LastIndex.toLocaleString(locale.value)}
          {behind > 0 && <span class="aside">{say.behindBy(behind)}</span>}
        </>
      ),
    },
    { name: 'contact', title: say.contact, cell: ({ LastContact }) => LastContact },
    {
      name: 'since',
      title: say.since,
      cell: ({ StableSince }) => <Ago at={Date.parse(StableSince)} />,
    },
  ];
}

function standingOf({ NodeStatus, Healthy }: ServerRow) {
  const say = clusterWords.value;
  if (NodeStatus !== 'alive') return <StatusSign status="critical" label={say.gone} />;
  if (!Healthy) return <StatusSign status="warning" label={say.unwell} />;
  return <StatusSign status="passing" label={say.well} />;
}

interface RingOfProps {
  readonly ring: RingState;
  readonly name: string;
  readonly numbers: ReadonlyMap<string, number>;
}

function RingOf({ ring, name, numbers }: RingOfProps) {
  const say = clusterWords.value;
  const inTurn = name === '' ? [] : [ring.Server, ...ring.Then];
  const parts = ring.Servers.toSorted((a, b) => (a.Node < b.Node ? -1 : 1)).map((server) => ({
    number: numbers.get(server.ID) ?? 0,
    name: server.Node,
    share: server.Share,
    turn: inTurn.indexOf(server.Node) + 1,
    isPaused: server.Failing,
  }));
  return (
    <div class="ring-beside">
      <Ring parts={parts} name={name} />
      <div>
        <ol class="legend">
          {parts.map(({ number, name: node, share, isPaused }) => (
            <li key={node}>
              <span class="number">{number}</span>
              {node}
              <span class="aside">{percent(share)}</span>
              {isPaused && <StatusSign status="warning" label={say.paused} />}
            </li>
          ))}
        </ol>
        <label>
          {say.nameOf}
          <input
            value={name}
            placeholder={say.nameHint}
            autoComplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setQuery({ name: currentTarget.value })}
          />
        </label>
        <p role="status">
          {inTurn.length > 0 && say.firstAsked(inTurn[0] ?? '')}
          {inTurn.length > 1 && `, ${say.thenAsked(inTurn.slice(1).join(', '))}`}
        </p>
      </div>
    </div>
  );
}

function Log({ metrics }: { readonly metrics: Metrics }) {
  const say = clusterWords.value;
  const figure = (name: string) => figureOf(metrics, name);
  const plain = (n: number) => n.toLocaleString(locale.value, { maximumFractionDigits: 2 });
  const facts: readonly Fact[] = [
    ['index', figure('consul.raft.applied_index'), plain],
    ['writable', figure('proconsul.log.writable'), (n) => (n === 1 ? say.yes : say.no)],
    ['behind', figure('proconsul.log.behind_seconds'), (n) => say.secondsAgo(plain(n))],
    ['append', figure('proconsul.log.append'), (n) => say.ms(plain(n))],
    ['fsync', figure('proconsul.log.fsync'), (n) => say.ms(plain(n))],
    ['waiting', figure('proconsul.log.waiting'), plain],
    ['epoch', figure('proconsul.redis.epoch'), plain],
    ['inTouch', figure('proconsul.redis.servers'), plain],
    ['roundTrip', figure('proconsul.redis.round_trip'), (n) => say.ms(plain(n))],
  ];
  const known = facts.filter(([, value]) => value !== undefined);
  if (figure('proconsul.log.writable') === undefined) return <p>{say.ofAnAgent}</p>;
  return (
    <dl class="figures">
      {known.map(([name, value, show]) => (
        <div key={name}>
          <dt>{say.facts[name]}</dt>
          <dd title={name === 'epoch' ? say.epochHint : undefined}>{show(value ?? 0)}</dd>
        </div>
      ))}
    </dl>
  );
}

type FactName = keyof typeof clusterWords.value.facts;
type Fact = readonly [name: FactName, value: number | undefined, show: (n: number) => string];
