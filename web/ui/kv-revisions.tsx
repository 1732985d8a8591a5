/** What a key said before: when, by whom, against what it says now, and the way back. */
import { useState } from 'preact/hooks';
import type { Revision } from '../../lib/answers.ts';
import type { KeyValue } from '../../lib/model.ts';
import { withQuery } from '../core/asked-path.ts';
import { deleteKey, folderOf, pathOfKey, rollBack } from '../core/keys-and-values.ts';
import { type Line, linesBetween } from '../core/line-diff.ts';
import { useLive } from '../core/live.ts';
import { useMay } from '../core/rights.ts';
import { commandText } from '../core/shell.ts';
import { textOf } from '../core/values.ts';
import type { WayBack } from '../core/way-back.ts';
import { kvWords } from '../words/kv-words.ts';
import { count } from '../words/words.ts';
import { askFirst } from './asked.tsx';
import { Copyable } from './commands.tsx';
import { Shown } from './shown.tsx';
import { Ago } from './time.tsx';

const MAX_SHOWN = '100';

interface RevisionsProps {
  readonly name: string;
  readonly row: KeyValue | undefined;
}

export function KeyRevisions({ name, row }: RevisionsProps) {
  const say = kvWords.value;
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="kv-history" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{say.history}</summary>
      {isOpen && <AllBefore name={name} row={row} />}
    </details>
  );
}

function AllBefore({ name, row }: RevisionsProps) {
  const say = kvWords.value;
  const live = useLive<readonly Revision[]>(withQuery(pathOfKey(name), { history: MAX_SHOWN }));
  return (
    <Shown of={live}>
      {(all) => {
        const before = all.filter(({ Revision: index }) => index !== row?.ModifyIndex);
        return before.length === 0 ? (
          <>
            <p class="aside">{say.historyHint}</p>
            <Copyable
              text={commandText({ words: ['kv', 'revisions', `-prefix=${folderOf(name)}`] })}
            />
          </>
        ) : (
          <ul>
            {before.map((each) => (
              <Before key={each.Revision} name={name} row={row} revision={each} />
            ))}
          </ul>
        );
      }}
    </Shown>
  );
}

function Before({ name, row, revision }: RevisionsProps & { readonly revision: Revision }) {
  const say = kvWords.value;
  const mayWrite = useMay({ Resource: 'key', Access: 'write', Segment: name });
  const [isCompared, setCompared] = useState(false);
  const { Revision: index, Time, AccessorID, Deleted, Value } = revision;
  const text = textOf(Value);
  const ask = () =>
    askFirst({
      title: say.rollBack,
      text: say.rollBackText(name, index),
      action: rollBack(name, index, row),
      verb: say.rollBack,
      done: say.rolledBack(name),
      undo: undoOf(name, row, revision),
    });
  return (
    <li>
      <div class="revision">
        <strong>{count(index)}</strong>
        {Time !== null && <Ago at={Date.parse(Time)} />}
        {AccessorID !== '' && <span class="aside">{say.by(AccessorID)}</span>}
        {Deleted && <span class="aside">{say.wasDeleted}</span>}
        <span class="actions">
          {text !== undefined && (
            <button type="button" class="quiet" onClick={() => setCompared(!isCompared)}>
              {say.compare}
            </button>
          )}
          {mayWrite && !(Deleted && row === undefined) && (
            <button type="button" class="quiet" onClick={ask}>
              {say.rollBack}
            </button>
          )}
        </span>
      </div>
      {isCompared && <Compared before={text ?? ''} now={textOf(row?.Value ?? null) ?? ''} />}
    </li>
  );
}

function undoOf(name: string, row: KeyValue | undefined, { Deleted, Value }: Revision): WayBack {
  return {
    action: (index) =>
      row === undefined
        ? deleteKey(name, { ModifyIndex: index })
        : rollBack(name, row.ModifyIndex, { ModifyIndex: index }),
    at: pathOfKey(name),
    left: (there) =>
      Deleted ? there === undefined : (there as KeyValue | undefined)?.Value === Value,
  };
}

const SIGNS = { kept: ' ', added: '+', removed: '−' } as const;

function Compared({ before, now }: { readonly before: string; readonly now: string }) {
  const say = kvWords.value;
  if (before === now) return <p class="aside">{say.same}</p>;
  return (
    <pre class="diff">
      {linesBetween(before, now).map(({ text, was }, i) => (
        // Lines have no name but their place.
        <Compare key={`${i} ${was}`} text={text} was={was} />
      ))}
    </pre>
  );
}

function Compare({ text, was }: Line) {
  const say = kvWords.value;
  return (
    <span class={was}>
      <span aria-hidden="true">{SIGNS[was]} </span>
      {was !== 'kept' && <span class="unseen">{say[was]}: </span>}
      {text}
      {'\n'}
    </span>
  );
}
