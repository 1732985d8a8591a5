/** All sessions: what each holds, when it ends, and what becomes of that then. */
import type { SessionRow } from '../../lib/answers.ts';
import { withQuery } from '../core/asked-path.ts';
import { folderOf } from '../core/keys-and-values.ts';
import { useLive } from '../core/live.ts';
import { compare } from '../core/order.ts';
import { href } from '../core/router.ts';
import { Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { Heading } from '../ui/heading.tsx';
import { everyOne } from '../ui/sees.ts';
import { bySession, endColumns, nameColumn } from '../ui/session-table.tsx';
import type { Column } from '../ui/table.tsx';
import { sessionWords } from '../words/session-words.ts';

export function Page() {
  const say = sessionWords.value;
  const live = useLive<readonly SessionRow[]>('/v1/internal/overview/sessions');
  const all = live.value ?? [];
  const holding = all.filter(({ KeysHeld }) => KeysHeld > 0).length;
  return (
    <>
      <Heading title={say.title} beside={live.value && say.summary(all.length, holding)} />
      <Filtered
        of={live}
        sees={everyOne('session')}
        filter={useFilter({ hasExpressions: false })}
        textsOf={({ ID, Name, Node, Keys }) => [ID, Name, Node, ...Keys]}
        none={
          <Empty title={say.none} hint={say.noneHint}>
            <Copyable text="proconsul lock locks/backup ./backup.sh" />
          </Empty>
        }
        noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
        label={say.title}
        kind="sessions"
        columns={columns()}
        keyOf={({ ID }) => ID}
        sortedBy="holds"
      />
    </>
  );
}

function columns(): readonly Column<SessionRow>[] {
  const say = sessionWords.value;
  return [
    nameColumn(),
    {
      name: 'node',
      title: say.node,
      cell: ({ Node }) => <a href={href('nodes', Node)}>{Node}</a>,
      compare: (a, b) => compare(a.Node, b.Node) || bySession(a, b),
    },
    {
      name: 'holds',
      title: say.holds,
      cell: (row) => <Held row={row} />,
      compare: (a, b) => b.KeysHeld - a.KeysHeld || bySession(a, b),
    },
    ...endColumns<SessionRow>(({ KeysHeld }) => KeysHeld),
  ];
}

const SHOWN = 2;

/** The first of the keys, each a way to it; all of them where the pointer rests. */
function Held({ row: { Keys, KeysHeld } }: { readonly row: SessionRow }) {
  const say = sessionWords.value;
  if (KeysHeld === 0) return <span class="aside">{say.holdsNothing}</span>;
  const shown = Keys.slice(0, SHOWN);
  return (
    <span title={Keys.join('\n')}>
      {shown.map((key, i) => (
        <>
          {i > 0 && ' '}
          <a key={key} href={withQuery(href('kv'), { folder: folderOf(key), key })}>
            {key}
          </a>
        </>
      ))}
      {KeysHeld > shown.length && <span class="aside"> {say.more(KeysHeld - shown.length)}</span>}
    </span>
  );
}
