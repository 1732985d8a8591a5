/** One key: what it says, to be edited, who has its lock, and what it said before. */
import { useEffect, useState } from 'preact/hooks';
import type { KeyValue } from '../../lib/model.ts';
import type { Action } from '../core/action.ts';
import { here, perform } from '../core/actions.ts';
import { isOnItsWay, sending } from '../core/begun-forms.ts';
import { curlOf } from '../core/commands.ts';
import { draftOf, isOver } from '../core/draft.ts';
import { begunOf, keepDraft } from '../core/drafts.ts';
import {
  canBeAsked,
  deleteKey,
  pathOfKey,
  putKey,
  readKeys,
  restoreKey,
  writeKey,
} from '../core/keys-and-values.ts';
import { lineEndsOf } from '../core/line-ends.ts';
import { useLive } from '../core/live.ts';
import { useAllowed } from '../core/rights.ts';
import { setQuery } from '../core/router.ts';
import { sizeOf, textOf } from '../core/values.ts';
import type { WayBack } from '../core/way-back.ts';
import { kvWords } from '../words/kv-words.ts';
import { askFirst, inWords, tellDone } from './asked.tsx';
import { useClipped } from './clipped.tsx';
import { asker, Commands, Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { KeyLock } from './kv-lock.tsx';
import { KeyRevisions } from './kv-revisions.tsx';
import { Text } from './kv-text.tsx';
import { MayNot } from './may.tsx';
import { Shown } from './shown.tsx';

export function Editor({ name }: { readonly name: string }) {
  const say = kvWords.value;
  const isAskable = canBeAsked(name);
  const clipped = useClipped<HTMLHeadingElement>(name);
  const live = useLive<readonly KeyValue[]>(isAskable ? pathOfKey(name) : '');
  return (
    <section class="kv-editor" aria-label={name}>
      <div class="heading">
        <h2 ref={clipped.ref} class={clipped.kind}>
          {name}
        </h2>
        {clipped.toggle}
        <button type="button" class="quiet" onClick={() => setQuery({ key: '' }, { isStep: true })}>
          {say.close}
        </button>
      </div>
      {isAskable ? (
        <Shown of={live} missing={<Writing name={name} row={undefined} />}>
          {([row]) => <Writing name={name} row={row} />}
        </Shown>
      ) : (
        <Empty title={say.unaskable} hint={say.unaskableHint}>
          <Copyable text={curlOf(readKeys('get', name), asker())} />
        </Empty>
      )}
    </section>
  );
}

interface WritingProps {
  readonly name: string;
  /** Undefined where there is none yet. */
  readonly row: KeyValue | undefined;
}

function Writing({ name, row }: WritingProps) {
  const say = kvWords.value;
  const allowed = useAllowed({ Resource: 'key', Access: 'write', Segment: name });
  const mayWrite = allowed === true;
  const begun = begunOf(name);
  const [problem, setProblem] = useState('');
  const draft = draftOf(begun, row);
  const { text = '', upon } = draft;
  const save = writeKey(name, text, upon);
  const write = (next: string) => {
    const isAsItWas =
      begun?.saved === undefined && !draft.isOvertaken && next === draftOf(undefined, row).text;
    keepDraft(
      name,
      isAsItWas && row !== undefined ? undefined : { text: next, upon, saved: begun?.saved },
    );
  };
  const give = () => {
    keepDraft(name, undefined);
    setProblem('');
  };
  useEffect(() => {
    if (begun !== undefined && isOver(begun, row)) keepDraft(name, undefined);
  }, [begun, row]);
  // Pressed twice it would be refused for what it has done itself.
  const way = `key ${name}`;
  const run = async () => {
    if (isOnItsWay(way)) return;
    try {
      const action = here(save);
      const answer = await sending(way, () => perform(action));
      setProblem('');
      // Somebody may have written on meanwhile.
      keepDraft(name, { text: begunOf(name)?.text ?? text, upon, saved: text });
      await tellDone(say.saved(name), { action, answer }, undoOfSave(name, save, upon));
    } catch (error) {
      setProblem(inWords(error));
    }
  };
  return (
    <>
      {row?.Session !== undefined && <KeyLock session={row.Session} />}
      {draft.text === undefined ? (
        <p class="partial">
          {say.notText} {say.bytes(sizeOf(row?.Value ?? null))}
        </p>
      ) : (
        <Text name={name} text={draft.text} isFixed={!mayWrite} onWrite={write} />
      )}
      {lineEndsOf(textOf(upon?.Value ?? null) ?? '') === 'mixed' && (
        <p class="aside">{say.mixedEnds}</p>
      )}
      {draft.isOvertaken && (
        <Overtaken row={row} onWrite={() => keepDraft(name, { text, upon: row })} onTake={give} />
      )}
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {allowed === false && <MayNot />}
      {mayWrite && (
        <div class="actions">
          {row !== undefined && (
            <button type="button" onClick={() => askDelete(name, row)}>
              {say.delete}
            </button>
          )}
          {draft.isChanged && (
            <button type="button" onClick={give}>
              {say.revert}
            </button>
          )}
          <button
            type="button"
            class="main"
            disabled={!draft.maySave || isOnItsWay(way)}
            onClick={() => void run()}
          >
            {say.save}
          </button>
        </div>
      )}
      {mayWrite && draft.text !== undefined && <Commands action={save} />}
      <KeyRevisions name={name} row={row} />
    </>
  );
}

interface OvertakenProps {
  readonly row: KeyValue | undefined;
  readonly onWrite: () => void;
  readonly onTake: () => void;
}

function Overtaken({ row, onWrite, onTake }: OvertakenProps) {
  const say = kvWords.value;
  return (
    <div class="problem" role="alert">
      <p>{say.conflict}</p>
      <div class="actions">
        <button type="button" onClick={onTake}>
          {say.takeTheirs}
        </button>
        <button type="button" onClick={onWrite}>
          {say.keepMine}
        </button>
      </div>
      <h3>{say.standsThere}</h3>
      <pre>{row === undefined ? say.wasDeleted : (textOf(row.Value) ?? say.notText)}</pre>
    </div>
  );
}

/** What it said before, or nothing where there was none. */
function undoOfSave(name: string, save: Action, before: KeyValue | undefined): WayBack | undefined {
  const text = textOf(before?.Value ?? null);
  if (text === undefined) return undefined;
  return {
    action: (index) =>
      before === undefined
        ? deleteKey(name, { ModifyIndex: index })
        : putKey(name, text, { Flags: before.Flags, ModifyIndex: index }),
    at: pathOfKey(name),
    left: (there) => textOf((there as KeyValue | undefined)?.Value ?? null) === save.body,
  };
}

function askDelete(name: string, row: KeyValue): void {
  const say = kvWords.peek();
  const text = textOf(row.Value);
  askFirst({
    title: say.delete,
    text: text === undefined ? say.deleteForGood(name) : say.deleteText(name),
    action: deleteKey(name, row),
    verb: say.delete,
    done: say.deleted(name),
    undo:
      text === undefined
        ? undefined
        : { action: () => restoreKey(name, row, text), at: '', left: 'nothing' },
    isGrave: text === undefined,
  });
}
