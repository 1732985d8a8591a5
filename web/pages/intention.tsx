/** What is said of the calls of one service to another, and how that is changed. */
import '../style/intentions.css';
import { withQuery } from '../core/api.ts';
import { useLive } from '../core/live.ts';
import {
  decisionOf,
  deleteIntention,
  INTENTIONS,
  type IntentionRow,
  rankOf,
  remakeIntention,
  saidOf,
} from '../core/mesh.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { go, href, query, setQuery } from '../core/router.ts';
import { askFirst } from '../ui/asked.tsx';
import { quoted } from '../ui/completion.ts';
import { DecisionSign, nameOf } from '../ui/decision.tsx';
import { Empty } from '../ui/empty.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { IntentionForm } from '../ui/intention-form.tsx';
import { Permissions } from '../ui/permissions.tsx';
import { useSees } from '../ui/sees.ts';
import { MayNotSee, Shown } from '../ui/shown.tsx';
import { Ago } from '../ui/time.tsx';
import { intentionWords } from '../words/intention-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ source = '', destination = '' }: Given) {
  const say = intentionWords.value;
  // One alone has no index to wait at.
  const filter = `SourceName == ${quoted(source)} and DestinationName == ${quoted(destination)}`;
  const live = useLive<readonly IntentionRow[]>(withQuery(INTENTIONS, { filter }));
  const mayWrite = useMay({ Resource: 'intention', Access: 'write', Segment: destination });
  const isEditing = query.value.get('edit') === 'yes' && mayWrite;
  // It is seen from either end.
  const seesFrom = useSees({ Resource: 'intention', Access: 'read', Segment: source });
  const seesTo = useSees({ Resource: 'intention', Access: 'read', Segment: destination });
  const seesIt = seesFrom || seesTo;
  const row = live.value?.[0];
  const close = () => setQuery({ edit: '' });
  return (
    <>
      <Heading
        title={`${nameOf(source)} → ${nameOf(destination)}`}
        beside={<a href={href('intentions')}>{say.intention}</a>}
      >
        {row !== undefined && mayWrite && !isEditing && (
          <>
            <button type="button" onClick={() => setQuery({ edit: 'yes' })}>
              {uiWords.value.edit}
            </button>
            <button type="button" onClick={() => askDelete(row)}>
              {uiWords.value.delete}
            </button>
          </>
        )}
      </Heading>
      <Shown of={live}>
        {() => {
          if (row === undefined) {
            if (!seesIt) return <MayNotSee />;
            return <None source={source} destination={destination} mayWrite={mayWrite} />;
          }
          if (isEditing) return <IntentionForm row={row} onDone={close} onCancel={close} />;
          return <Said row={row} />;
        }}
      </Shown>
    </>
  );
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
  askFirst({
    title: say.delete,
    text: say.deleteText(...ends),
    action: deleteIntention(row),
    verb: say.delete,
    done: say.deleted(...ends),
    undo: remakeIntention(row),
    onDone: () => go(href('intentions'), { replaces: true }),
  });
}
