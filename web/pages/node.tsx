/** One node: its checks, what runs on it, the sessions that rest on it, and what became of it. */
import '../style/node.css';
import { useEffect, useMemo } from 'preact/hooks';
import type { Check, Instance, Node, Session } from '../../lib/model.ts';
import { withQuery } from '../core/asked-path.ts';
import { addressOf, type NodeInFull, nodeAt } from '../core/catalog.ts';
import { quoted } from '../core/filter-text.ts';
import { askAnew, useLive } from '../core/live.ts';
import { compare } from '../core/order.ts';
import { type Change, sinceOf } from '../core/past.ts';
import type { Given } from '../core/path.ts';
import { href } from '../core/router.ts';
import { bothOf, byInstance, RANK, standingOf } from '../core/standing.ts';
import { Checks } from '../ui/checks.tsx';
import { Distances } from '../ui/distances.tsx';
import { Empty } from '../ui/empty.tsx';
import { Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { NodeActions } from '../ui/node-actions.tsx';
import { MAX_CHANGES, Past } from '../ui/past.tsx';
import { everyOne } from '../ui/sees.ts';
import { endColumns, nameColumn } from '../ui/session-table.tsx';
import { Seen } from '../ui/shown.tsx';
import { StatusSign } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Tags } from '../ui/tags.tsx';
import { nodeWords } from '../words/node-words.ts';
import { pastWords } from '../words/past-words.ts';
import { count } from '../words/words.ts';

export function Page({ name = '' }: Given) {
  const encoded = encodeURIComponent(name);
  const live = useLive<NodeInFull>(nodeAt(name));
  const sessions = useLive<readonly Session[]>(`/v1/session/node/${encoded}`);
  const node = live.value;
  const checks = node?.Checks ?? [];
  const own = checks.filter(({ ServiceID }) => ServiceID === '');
  const services = node?.Services ?? [];
  const say = nodeWords.value;
  const tabs = [
    {
      name: 'services',
      title: say.services,
      count: node && count(services.length),
      show: () => (
        <Seen of={live} sees={everyOne('service')} isNone={(of) => isEmpty(of.Services ?? [])}>
          {(of) => <Services node={of} />}
        </Seen>
      ),
    },
    {
      name: 'checks',
      title: say.checks,
      count: node && count(own.length),
      show: () => <OwnChecks name={name} checks={own} />,
    },
    {
      name: 'sessions',
      title: say.sessions,
      count: sessions.value && count(sessions.value.length),
      show: () => (
        <Seen
          of={sessions}
          sees={{ Resource: 'session', Access: 'read', Segment: name }}
          isNone={isEmpty}
        >
          {(rows) => <Sessions rows={rows} />}
        </Seen>
      ),
    },
    {
      name: 'meta',
      title: say.meta,
      show: () => <Meta of={node?.Meta ?? null} />,
    },
    {
      name: 'history',
      title: pastWords.value.history,
      show: () => <History name={name} />,
    },
    {
      name: 'distances',
      title: say.distances,
      show: () => <Distances name={name} />,
    },
  ];
  return (
    <>
      <Heading
        title={name}
        beside={
          node && (
            <>
              <StatusSign status={own.length === 0 ? 'none' : standingOf(own)} /> ·{' '}
              <code>{node.Address}</code>
            </>
          )
        }
      >
        {node && <NodeActions node={node} />}
      </Heading>
      <Seen
        of={live}
        sees={{ Resource: 'node', Access: 'read', Segment: name }}
        isNone={() => false}
        missing={<Gone name={name} />}
      >
        {() => <Tabs label={name} tabs={tabs} />}
      </Seen>
    </>
  );
}

function isEmpty({ length }: readonly unknown[]): boolean {
  return length === 0;
}

function Gone({ name }: { readonly name: string }) {
  const say = nodeWords.value;
  useReturn(name);
  return (
    <Empty title={say.gone(name)} hint={say.goneHint}>
      <a class="button" href={href('nodes')}>
        {say.all}
      </a>
    </Empty>
  );
}

/** That there is no node is said without an index: nobody waits for it there. */
function useReturn(name: string): void {
  const filter = `Node == ${quoted(name)}`;
  const { value = [] } = useLive<readonly Node[]>(withQuery('/v1/catalog/nodes', { filter }));
  const isThere = value.length > 0;
  // Once: it has this list asked for anew too.
  useEffect(() => {
    if (isThere) askAnew();
  }, [isThere]);
}

/** Of the parts that show it: a page waits for three answers at most. */
function usePast(name: string) {
  return useLive<readonly Change[]>(
    withQuery(`/v1/internal/history/node/${encodeURIComponent(name)}`, {
      limit: String(MAX_CHANGES),
    }),
  );
}

function History({ name }: { readonly name: string }) {
  return (
    <Seen of={usePast(name)} sees={everyOne('service')} isNone={isEmpty}>
      {(changes) => <Past changes={changes} isOfNode />}
    </Seen>
  );
}

interface OwnChecksProps {
  readonly name: string;
  readonly checks: readonly Check[];
}

function OwnChecks({ name, checks }: OwnChecksProps) {
  const past = usePast(name).value ?? [];
  const own = past.filter(({ ServiceID }) => ServiceID === '');
  const since = sinceOf(own, ({ CheckID }) => CheckID);
  if (checks.length === 0) return <NoChecks />;
  return <Checks checks={checks} since={since} />;
}

function NoChecks() {
  const say = nodeWords.value;
  return <Empty title={say.noChecks} hint={say.noChecksHint} />;
}

function Meta({ of }: { readonly of: NodeInFull['Meta'] }) {
  const facts = Object.entries(of ?? {});
  const say = nodeWords.value;
  if (facts.length === 0) return <Empty title={say.noMeta} hint={say.noMetaHint} />;
  return <Facts facts={facts} />;
}

interface Placed {
  readonly instance: Instance;
  readonly status: ReturnType<typeof standingOf>;
}

function Services({ node }: { readonly node: NodeInFull }) {
  const say = nodeWords.value;
  const rows = useMemo(() => placedOn(node), [node]);
  if (rows.length === 0) return <Empty title={say.noServices} hint={say.noServicesHint} />;
  return (
    <Table
      label={say.services}
      kind="on-node"
      rows={rows}
      columns={serviceColumns(node)}
      keyOf={({ instance }) => instance.ID}
      sortedBy="status"
    />
  );
}

function placedOn({ Checks: checks, Services }: NodeInFull): readonly Placed[] {
  const by = byInstance(checks ?? []);
  const own = standingOf(by.get('') ?? []);
  return (Services ?? []).map((instance) => ({
    instance,
    status: bothOf(own, standingOf(by.get(instance.ID) ?? [])),
  }));
}

function serviceColumns(node: NodeInFull): readonly Column<Placed>[] {
  const say = nodeWords.value;
  const byName = (a: Placed, b: Placed) => compare(a.instance.ID, b.instance.ID);
  return [
    {
      name: 'name',
      title: say.service,
      cell: ({ instance: { Service, ID } }) => (
        <>
          <a class="whole-row" href={href('services', Service, node.Node, ID)}>
            {ID}
          </a>
          {ID !== Service && <span class="aside">{Service}</span>}
        </>
      ),
      compare: byName,
    },
    {
      name: 'status',
      title: say.status,
      cell: ({ status }) => <StatusSign status={status} />,
      compare: (a, b) => RANK[b.status] - RANK[a.status] || byName(a, b),
    },
    {
      name: 'address',
      title: say.address,
      cell: ({ instance }) => <code>{addressOf(instance, node)}</code>,
    },
    { name: 'tags', title: say.tags, cell: ({ instance }) => <Tags tags={instance.Tags ?? []} /> },
  ];
}

function Sessions({ rows }: { readonly rows: readonly Session[] }) {
  const say = nodeWords.value;
  if (rows.length === 0) return <Empty title={say.noSessions} hint={say.noSessionsHint} />;
  return (
    <Table
      label={say.sessions}
      kind="sessions-on-node"
      rows={rows}
      columns={[nameColumn<Session>(), ...endColumns<Session>(() => undefined)]}
      keyOf={({ ID }) => ID}
      sortedBy="name"
    />
  );
}
