/** One instance: its checks with what they said, what is known of it, and what may be done with it. */
import type { Instance } from '../../lib/model.ts';
import { withQuery } from '../core/asked-path.ts';
import { addressOf, type Entry, placeOf } from '../core/catalog.ts';
import { useLive } from '../core/live.ts';
import { type Change, sinceOf } from '../core/past.ts';
import type { Given } from '../core/path.ts';
import { href } from '../core/router.ts';
import { standingOf } from '../core/standing.ts';
import { Checks } from '../ui/checks.tsx';
import { Empty } from '../ui/empty.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { InstanceActions } from '../ui/instance-actions.tsx';
import { MAX_CHANGES, Past } from '../ui/past.tsx';
import { Seen } from '../ui/shown.tsx';
import { StatusSign } from '../ui/status.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Tags } from '../ui/tags.tsx';
import { checkWords } from '../words/check-words.ts';
import { instanceWords } from '../words/instance-words.ts';
import { pastWords } from '../words/past-words.ts';

export function Page({ name = '', node = '', id = '' }: Given) {
  const say = instanceWords.value;
  const live = useLive<readonly Entry[]>(placeOf(name, node, id));
  const past = useLive<readonly Change[]>(
    withQuery(`/v1/internal/history/service/${encodeURIComponent(name)}`, {
      limit: String(MAX_CHANGES),
    }),
  );
  const own = past.value?.filter(
    (each) => each.Node === node && (each.ServiceID === id || each.ServiceID === ''),
  );
  const entry = live.value?.[0];
  return (
    <>
      <Heading
        title={id}
        beside={
          <>
            {entry !== undefined && <StatusSign status={standingOf(entry.Checks)} />} {say.of}{' '}
            <a href={href('services', name)}>{name}</a> {say.on}{' '}
            <a href={href('nodes', node)}>{node}</a>
          </>
        }
      >
        {entry !== undefined && <InstanceActions entry={entry} />}
      </Heading>
      <Seen
        of={live}
        sees={[
          { Resource: 'service', Access: 'read', Segment: name },
          { Resource: 'node', Access: 'read', Segment: node },
        ]}
        isNone={({ length }) => length === 0}
      >
        {() =>
          entry === undefined ? <Gone name={name} /> : <Parts entry={entry} past={own ?? []} />
        }
      </Seen>
    </>
  );
}

function Gone({ name }: { readonly name: string }) {
  const say = instanceWords.value;
  return (
    <Empty title={say.gone} hint={say.goneHint}>
      <a class="button" href={href('services', name)}>
        {say.all}
      </a>
    </Empty>
  );
}

interface PartsProps {
  readonly entry: Entry;
  readonly past: readonly Change[];
}

function Parts({ entry, past }: PartsProps) {
  const say = instanceWords.value;
  const since = sinceOf(past, ({ CheckID }) => CheckID);
  const { Checks: checks, Service } = entry;
  const tabs = [
    {
      name: 'checks',
      title: say.checks,
      show: () =>
        checks.length > 0 ? (
          <Checks checks={checks} since={since} />
        ) : (
          <Empty title={checkWords.value.none} hint={checkWords.value.noneHint} />
        ),
    },
    {
      name: 'details',
      title: say.details,
      show: () => <Facts facts={factsOf(entry)} />,
    },
    {
      name: 'meta',
      title: say.meta,
      show: () => <Meta of={Service.Meta} />,
    },
    {
      name: 'history',
      title: pastWords.value.history,
      show: () => <Past changes={past} />,
    },
  ];
  return <Tabs label={Service.ID} tabs={tabs} />;
}

function Meta({ of }: { readonly of: Instance['Meta'] }) {
  const facts = Object.entries(of ?? {});
  const say = instanceWords.value;
  return facts.length === 0 ? (
    <Empty title={say.noMeta} hint={say.noMetaHint} />
  ) : (
    <Facts facts={facts} />
  );
}

function factsOf({ Node, Service }: Entry): readonly Fact[] {
  const say = instanceWords.value;
  const { Kind, Tags: tags, Weights, TaggedAddresses } = Service;
  const facts: Fact[] = [
    [say.address, <code key="address">{addressOf(Service, Node)}</code>],
    [say.weights, `${Weights.Passing} / ${Weights.Warning}`],
  ];
  if (Kind !== '') facts.push([say.kind, Kind]);
  if (tags.length > 0) facts.push([say.tags, <Tags key="tags" tags={tags} />]);
  const destination = Service.Proxy['DestinationServiceName'];
  if (typeof destination === 'string') {
    facts.push([
      say.destination,
      <a key="to" href={href('services', destination)}>
        {destination}
      </a>,
    ]);
  }
  for (const [name, at] of Object.entries(TaggedAddresses ?? {})) {
    facts.push([name, <code key={name}>{`${at.Address}:${at.Port}`}</code>]);
  }
  return facts;
}
