/** What is said of the calls of one service to another, and how that is changed. */
import '../style/intentions.css';
import { withQuery } from '../core/asked-path.ts';
import { quoted } from '../core/filter-text.ts';
import { useLive } from '../core/live.ts';
import type { Shown as Answer } from '../core/live-query.ts';
import {
  decisionOf,
  deleteIntention,
  type IntentionRow,
  intentionsBy,
  rankOf,
  remakeIntention,
  saidOf,
  whileItSays,
} from '../core/mesh.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { go, href, query, setQuery } from '../core/router.ts';
import { askFirst } from '../ui/asked.tsx';
import { DecisionSign, nameOf } from '../ui/decision.tsx';
import { useEdited } from '../ui/edited.tsx';
import { Empty } from '../ui/empty.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { IntentionForm } from '../ui/intention-form.tsx';
import { May } from '../ui/may.tsx';
import { Permissions } from '../ui/permissions.tsx';
import { useSees } from '../ui/sees.ts';
import { Nothing, Shown } from '../ui/shown.tsx';
import { Ago } from '../ui/time.tsx';
import { intentionWords } from '../words/intention-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ source = '', destination = '' }: Given) {
  const say = intentionWords.value;
  // One alone has no index to wait at.
  const filter = `SourceName == ${quoted(source)} and DestinationName == ${quoted(destination)}`;
  const asksToEdit = query.value.get('edit') === 'yes';
  const [live, note] = useEdited(
    oneOf(useLive<Rows>(intentionsBy(filter)), source, destination),
    asksToEdit,
  );
  const right = { Resource: 'intention', Access: 'write', Segment: destination } as const;
  const mayWrite = useMay(right);
  const isEditing = asksToEdit && mayWrite;
  // It is seen from either end.
  const seesFrom = useSees({ Resource: 'intention', Access: 'read', Segment: source });
  const seesTo = useSees({ Resource: 'intention', Access: 'read', Segment: destination });
  const seesIt = seesFrom === true || seesTo === true ? true : (seesFrom ?? seesTo);
  const close = () => setQuery({ edit: '' });
  const none = (
    <Nothing seesAll={seesIt}>
      <None source={source} destination={destination} mayWrite={mayWrite} />
    </Nothing>
  );
  return (
    <>
      <Heading
        title={`${nameOf(source)} → ${nameOf(destination)}`}
        beside={<a href={href('intentions')}>{say.intention}</a>}
      >
        {live.value !== undefined && !isEditing && (
          <May right={right}>
            <button type="button" onClick={() => setQuery({ edit: 'yes' })}>
              {uiWords.value.edit}
            </button>
            <button type="button" onClick={() => live.value && askDelete(live.value)}>
              {uiWords.value.delete}
            </button>
          </May>
        )}
      </Heading>
      {note}
      <Shown of={live} missing={none}>
        {(row) =>
          isEditing ? (
            <IntentionForm row={row} onDone={close} onCancel={close} />
          ) : (
            <Said row={row} />
          )
        }
      </Shown>
    </>
  );
}

type Rows = readonly IntentionRow[];

function oneOf(live: Answer<Rows>, source: string, destination: string): Answer<IntentionRow> {
  const value = live.value?.find(
    ({ SourceName, DestinationName }) => SourceName === source && DestinationName === destination,
  );
  const isMissing = live.standing === 'here' && value === undefined;
  return { ...live, value, standing: isMissing ? 'missing' : live.standing };
}

function Said({ row }: { readonly row: IntentionRow }) {
  const say = intentionWords.value;
  const { Permissions: permissions = [] } = row;
  return (
    <>
      <Facts facts={factsOf(row)} />
      {row.JWT !== undefined && <p class="partial">{say.userToken(say.decisions[saidOf(row)])}</p>}
      {permissions.length > 0 && (
        <section>
          <h2>{say.permissions}</h2>
          <Permissions of={permissions} />
        </section>
      )}
    </>
  );
}

function factsOf(row: IntentionRow): readonly Fact[] {
  const say = intentionWords.value;
  const { SourceName, DestinationName, Description, Meta, UpdatedAt } = row;
  const link = (name: string) =>
    name === '*' ? say.anybody : <a href={href('services', name)}>{name}</a>;
  return [
    [say.decision, <DecisionSign key="decision" of={decisionOf(row)} />],
    [say.from, link(SourceName)],
    [say.to, link(DestinationName)],
    [say.rank, say.ranks[rankOf(row)]],
    ...(Description === '' ? [] : [[say.description, Description] as const]),
    ...(Date.parse(UpdatedAt) > 0
      ? [[say.changed, <Ago key="changed" at={Date.parse(UpdatedAt)} />] as const]
      : []),
    ...Object.entries(Meta ?? {}),
  ];
}

interface NoneProps {
  readonly source: string;
  readonly destination: string;
  readonly mayWrite: boolean;
}

function None({ source, destination, mayWrite }: NoneProps) {
  const say = intentionWords.value;
  const to = withQuery(href('intentions', 'new'), { source, destination });
  return (
    <Empty title={say.gone} hint={say.goneHint}>
      <span class="actions">
        {mayWrite && (
          <a class="button" href={to}>
            {say.make}
          </a>
        )}{' '}
        <a class="button" href={href('intentions')}>
          {say.all}
        </a>
      </span>
    </Empty>
  );
}

function askDelete(row: IntentionRow): void {
  const say = intentionWords.peek();
  const ends = [nameOf(row.SourceName), nameOf(row.DestinationName)] as const;
  const action = whileItSays(deleteIntention(row), row);
  const again = remakeIntention(row);
  askFirst({
    title: say.delete,
    text: say.deleteText(...ends),
    action,
    verb: say.delete,
    done: say.deleted(...ends),
    undo: again && { action: () => again, at: action.path, left: 'nothing' },
    isGrave: again === undefined,
    leads: () => go(href('intentions'), { replaces: true }),
  });
}
