/** The servers: how each is, which names it answers for, and the log that makes them one. */
import '../style/cluster.css';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterState, LogState, RingState } from '../../lib/answers.ts';
import { withQuery } from '../core/asked-path.ts';
import { type Metrics, numbersOf, type ServerRow, serverRows } from '../core/cluster.ts';
import { writeJson } from '../core/exact-json.ts';
import { useKey } from '../core/keys.ts';
import { askOnceMore, useAtRest, useTold } from '../core/live.ts';
import type { Shown as Answer } from '../core/live-query.ts';
import { query, setQuery } from '../core/router.ts';
import { Finds, LogParts, milliseconds, OwnNode } from '../ui/cluster-log.tsx';
import { Empty } from '../ui/empty.tsx';
import { Heading } from '../ui/heading.tsx';
import { Ring } from '../ui/ring.tsx';
import { Shown } from '../ui/shown.tsx';
import { StatusSign } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { clusterWords } from '../words/cluster-words.ts';
import { goDuration } from '../words/times.ts';
import { count, percent } from '../words/words.ts';

export function Page() {
  const say = clusterWords.value;
  const name = query.value.get('name') ?? '';
  const cluster = useTold<ClusterState>('/v1/operator/autopilot/state');
  const ring = useAtRest<RingState>(withQuery('/v1/agent/ring', { key: name }));
  const steady = useSteady(ring);
  const log = useTold<LogState>('/v1/operator/log');
  const metrics = useTold<Metrics>('/v1/agent/metrics/stream');
  useNews(cluster.value);
  const count = Object.keys(cluster.value?.Servers ?? {}).length;
  return (
    <>
      <Heading
        title={say.title}
        beside={cluster.value && count > 0 && say.summary(count, cluster.value.FailureTolerance)}
      />
      <Shown of={cluster}>
        {(value) => <Servers rows={serverRows(value, steady.value)} log={log.value} />}
      </Shown>
      <div class="cluster-parts">
        <Shown of={log}>{(value) => <LogParts log={value} metrics={metrics.value} />}</Shown>
        <section class="cluster-part ring-part">
          <h2>{say.ring}</h2>
          <p class="aside">{say.ringHint}</p>
          <Shown of={steady}>
            {(value) => (
              <RingOf
                ring={value}
                name={name}
                isOfName={steady === ring}
                numbers={numbersOf(cluster.value, value)}
              />
            )}
          </Shown>
        </section>
        <section class="cluster-part">
          <h2>{say.own}</h2>
          <p class="aside">{say.ownHint}</p>
          <Shown of={metrics}>{(value) => <OwnNode metrics={value} />}</Shown>
        </section>
      </div>
      {log.value?.Redis && <Finds of={log.value.Redis.Finds} server={log.value.Node} />}
    </>
  );
}

/** The ring is another one where a server comes or goes. */
function useNews(cluster: ClusterState | undefined): void {
  const servers = Object.values(cluster?.Servers ?? {});
  const now = writeJson(servers.map(({ ID, NodeStatus, Healthy }) => [ID, NodeStatus, Healthy]));
  const last = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (cluster === undefined) return;
    if (last.current !== undefined && last.current !== now) askOnceMore();
    last.current = now;
  }, [cluster, now]);
}

interface ServersProps {
  readonly rows: readonly ServerRow[];
  readonly log: LogState | undefined;
}

/** Of servers that agree upon nothing nothing is said either: they may have stood for long. */
function Servers({ rows, log }: ServersProps) {
  const say = clusterWords.value;
  if (rows.length === 0 && log?.Writable === false)
    return <Empty title={say.stuck} hint={say.stuckHint} />;
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

/** As it was until it is known: whoever is writing in it stays there. No token comes, and no data centre, but with another page. */
function useSteady<T>(of: Answer<T>): Answer<T> {
  const last = useRef(of);
  if (of.standing !== 'coming') last.current = of;
  return last.current;
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
          {count(LastIndex)}
          {behind > 0 && <span class="aside">{say.behindBy(behind)}</span>}
        </>
      ),
    },
    { name: 'contact', title: say.contact, cell: ({ LastContact }) => contactOf(LastContact) },
    {
      name: 'since',
      title: say.since,
      cell: ({ StableSince }) => <Ago at={Date.parse(StableSince)} />,
    },
  ];
}

/** Of the leader, and of whoever is heard all along, it is just now. */
function contactOf(text: string): string {
  const ms = goDuration(text);
  return ms === 0 ? clusterWords.value.now : milliseconds(ms);
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
  /** Not while it is asked where that goes. */
  readonly isOfName: boolean;
  readonly numbers: ReadonlyMap<string, number>;
}

function RingOf({ ring, name, isOfName, numbers }: RingOfProps) {
  const say = clusterWords.value;
  const input = useRef<HTMLInputElement>(null);
  useKey(
    '/',
    () => clusterWords.value.nameOf,
    () => input.current?.focus(),
  );
  const { Server = [], Then = [] } = ring;
  const inTurn = isOfName ? [Server, Then].flat() : [];
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
            ref={input}
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
