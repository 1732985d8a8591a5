/** The log and its Redis: how they stand, and what was found and repaired. */
import type { ComponentChildren } from 'preact';
import type { Find, LogState, RedisState, Replica } from '../../lib/answers.ts';
import { now } from '../core/clock.ts';
import { figureOf, type Metrics, type Outcome, outcomeOf } from '../core/cluster.ts';
import { clusterWords } from '../words/cluster-words.ts';
import { goDuration, lasting } from '../words/times.ts';
import { bytes, count, locale } from '../words/words.ts';
import { Empty } from './empty.tsx';
import { type Fact, Facts } from './facts.tsx';
import { type Known, StatusSign } from './status.tsx';
import { type Column, Table } from './table.tsx';
import { Ago } from './time.tsx';

interface LogPartsProps {
  readonly log: LogState;
  /** Of the agent that is asked, which at a server is the server too. */
  readonly metrics: Metrics | undefined;
}

export function LogParts({ log, metrics }: LogPartsProps) {
  const say = clusterWords.value;
  return (
    <>
      <section class="cluster-part">
        <h2>{say.log}</h2>
        <p class="aside">{say.logHint(log.Node)}</p>
        <Facts facts={[...factsOf(log), ...measured(metrics)]} />
      </section>
      {log.Redis !== null && (
        <section class="cluster-part redis-part">
          <h2>{say.redis}</h2>
          <p class="aside">{say.redisHint}</p>
          <Facts facts={redisFacts(log.Redis, metrics)} />
        </section>
      )}
    </>
  );
}

function factsOf(log: LogState): readonly Fact[] {
  const say = clusterWords.value;
  const { facts } = say;
  const { Kind, Writable, Index, Epoch, ServersInTouch, ServersNeeded, LastContact } = log;
  const isShared = Kind === 'redis';
  const kept: Fact[] = [
    [facts.kind, say.kinds[Kind]],
    [
      facts.writable,
      <StatusSign
        key="writable"
        status={Writable ? 'passing' : 'critical'}
        label={Writable ? say.yes : say.no}
      />,
    ],
    [facts.index, count(Index)],
    [facts.sealed, log.Sealed ? say.yes : say.no],
  ];
  if (!isShared) return kept;
  return [
    ...kept,
    [
      facts.epoch,
      <span key="epoch" title={say.epochHint}>
        {count(Epoch)}
      </span>,
    ],
    [facts.inTouch, say.neededOf(ServersInTouch, ServersNeeded)],
    [facts.behind, LastContact === 'never' ? say.never : say.secondsAgo(secondsIn(LastContact))],
  ];
}

function measured(metrics: Metrics | undefined): readonly Fact[] {
  const say = clusterWords.value;
  const { facts } = say;
  return [
    ...figure(metrics, 'proconsul.log.append', facts.append, milliseconds),
    ...figure(metrics, 'proconsul.log.fsync', facts.fsync, milliseconds),
    ...figure(metrics, 'proconsul.log.waiting', facts.waiting, count),
  ];
}

function redisFacts(redis: RedisState, metrics: Metrics | undefined): readonly Fact[] {
  const say = clusterWords.value;
  const { redisFacts: facts } = say;
  const { State, Address, Version, Commit } = redis;
  const state = State === null ? 'critical' : 'passing';
  const told: Fact[] = [
    [
      facts.state,
      <StatusSign key="state" status={state} label={State === null ? say.silent : say.answers} />,
    ],
  ];
  if (Address !== '') told.push([facts.address, Address], [facts.version, Version]);
  if (State !== null) {
    const { UsedBytes: used, MostBytes: most, Up } = State;
    const memory =
      most === 0 ? say.memoryFree(bytes(used)) : say.memoryOf(bytes(used), bytes(most));
    told.push(
      [facts.up, <Ago key="up" at={now.value - goDuration(Up)} />],
      [facts.memory, memory],
      [facts.disk, <Disk key="disk" {...redis} isSaved={State.Saved} />],
      [facts.replicas, <Replicas key="replicas" of={State.Replicas} />],
    );
  }
  told.push([facts.commit, say.commits[Commit]]);
  return [...told, ...figure(metrics, 'proconsul.redis.round_trip', facts.roundTrip, milliseconds)];
}

function Disk({ AppendOnly, isSaved }: RedisState & { readonly isSaved: boolean }) {
  const say = clusterWords.value;
  if (!isSaved) return <StatusSign status="critical" label={say.unsaved} />;
  return AppendOnly ? (
    <span>{say.saved}</span>
  ) : (
    <StatusSign status="warning" label={say.savedLess} />
  );
}

function Replicas({ of }: { readonly of: readonly Replica[] }) {
  const say = clusterWords.value;
  if (of.length === 0) return <StatusSign status="warning" label={say.noReplicas} />;
  return (
    <ul>
      {of.map(({ Address, Online, BehindBytes }) => (
        <li key={Address}>
          {Address}{' '}
          {Online ? (
            <span class="aside">
              {BehindBytes === 0 ? say.inStep : say.lags(bytes(BehindBytes))}
            </span>
          ) : (
            <StatusSign status="critical" label={say.offline} />
          )}
        </li>
      ))}
    </ul>
  );
}

export function OwnNode({ metrics }: { readonly metrics: Metrics }) {
  const say = clusterWords.value;
  const { ownFacts: facts } = say;
  const things = (n: number) => (n === 0 ? say.nothing : count(n));
  return (
    <Facts
      facts={[
        ...figure(metrics, 'proconsul.sync.drift', facts.drift, things),
        ...figure(metrics, 'proconsul.sync.owed', facts.owed, things),
        ...figure(metrics, 'proconsul.sync.compared', facts.compared, milliseconds),
      ]}
    />
  );
}

/** Nothing where it is not measured. */
function figure(
  metrics: Metrics | undefined,
  name: string,
  title: string,
  shown: (n: number) => ComponentChildren,
): readonly Fact[] {
  const value = metrics && figureOf(metrics, name);
  return value === undefined ? [] : [[title, shown(value)]];
}

export function Finds({ of, server }: { readonly of: readonly Find[]; readonly server: string }) {
  const say = clusterWords.value;
  return (
    <>
      <div class="cluster-title">
        <h2>{say.finds}</h2>
        <p class="aside">{say.findsHint(server)}</p>
      </div>
      {of.length === 0 ? (
        <Empty title={say.noFinds} hint={say.noFindsHint} />
      ) : (
        <Table
          label={say.finds}
          kind="finds"
          rows={of}
          columns={columns()}
          keyOf={(each) => Object.values(each).join(' ')}
          sortedBy=""
        />
      )}
    </>
  );
}

const SIGNS: Readonly<Record<Outcome, Known>> = {
  begun: 'none',
  back: 'passing',
  other: 'passing',
  repaired: 'passing',
  lost: 'critical',
};

function columns(): readonly Column<Find>[] {
  const say = clusterWords.value;
  const number = (n: number) => (n === 0 ? '–' : say.entries(n));
  return [
    { name: 'when', title: say.when, cell: ({ Time }) => <Ago at={Date.parse(Time)} /> },
    {
      name: 'outcome',
      title: say.outcome,
      cell: (find) => {
        const outcome = outcomeOf(find);
        return <StatusSign status={SIGNS[outcome]} label={say.outcomes[outcome]} />;
      },
    },
    { name: 'redis', title: say.redis, cell: ({ Address }) => Address },
    {
      name: 'epoch',
      title: say.facts.epoch,
      cell: ({ EpochBefore, Epoch }) => say.epochs(EpochBefore, Epoch),
    },
    {
      name: 'away',
      title: say.away,
      cell: ({ EpochBefore, Away }) => (EpochBefore === 0 ? '–' : lasting(goDuration(Away))),
    },
    { name: 'put-back', title: say.putBack, cell: ({ PutBack }) => number(PutBack) },
    { name: 'losses', title: say.lostEntries, cell: ({ Lost }) => number(Lost) },
  ];
}

export function milliseconds(ms: number): string {
  return clusterWords.value.ms(plain(ms));
}

function secondsIn(text: string): string {
  return plain(goDuration(text) / 1000);
}

function plain(n: number): string {
  return n.toLocaleString(locale.value, { maximumSignificantDigits: 3 });
}
