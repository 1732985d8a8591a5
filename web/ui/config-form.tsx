/** A config entry as JSON: written upon what was seen, and checked by the server. */

import type { Action } from '../core/action.ts';
import { ask } from '../core/api.ts';
import {
  type ConfigEntryRow,
  changeEntry,
  type EntryKind,
  entryPath,
  isKind,
  KINDS,
  rightOf,
  saidIn,
  shownTextOf,
  startOf,
  textOf,
  writeEntry,
} from '../core/config-entries.ts';
import { useAllowed } from '../core/rights.ts';
import { jsonProblem } from '../core/values.ts';
import { configWords } from '../words/config-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { takeBack } from './asked.tsx';
import { Area, Choice, Form, useDraft } from './form.tsx';
import { tell } from './toasts.tsx';

interface ConfigFormProps {
  readonly entry: ConfigEntryRow;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

export function ConfigForm({ entry, onDone, onCancel }: ConfigFormProps) {
  const say = configWords.value;
  const draft = useDraft({ text: shownTextOf(entry) }, entry.ModifyIndex);
  const { text } = draft.value;
  const said = saidIn(text);
  const isSame = said?.Kind === entry.Kind && said.Name === entry.Name;
  const action = isSame ? changeEntry(text, entry) : undefined;
  const done = async () => {
    const undo = await wayBack(entry, String(action?.body ?? text));
    onDone();
    tell(say.saved(entry.Kind, entry.Name), { undo: undo && (() => void takeBack(undo)) });
  };
  return (
    <Form
      label={uiWords.value.edit}
      verb={uiWords.value.save}
      action={action}
      draft={draft}
      onDone={() => void done()}
      onCancel={onCancel}
    >
      <Text text={text} onWrite={(next) => draft.change({ text: next })} />
      {said !== undefined && !isSame && <p class="form-problem">{say.isOther}</p>}
    </Form>
  );
}

/** Upon what was saved just now: where somebody has written again there is none. */
async function wayBack(before: ConfigEntryRow, saved: string): Promise<Action | undefined> {
  try {
    const { value } = await ask<ConfigEntryRow>(entryPath(before.Kind, before.Name));
    const isOurs = holds(value, JSON.parse(saved));
    return isOurs ? writeEntry(textOf(before), value.ModifyIndex) : undefined;
  } catch {
    return undefined;
  }
}

/** What was sent is in it: what it did not say, the server has filled in. */
function holds(there: unknown, sent: unknown): boolean {
  if (Array.isArray(sent)) {
    return (
      Array.isArray(there) &&
      there.length === sent.length &&
      sent.every((each, i) => holds(there[i], each))
    );
  }
  if (typeof sent !== 'object' || sent === null) return there === sent;
  if (typeof there !== 'object' || there === null) return false;
  const fields = new Map(Object.entries(there));
  return Object.entries(sent).every(([name, each]) => holds(fields.get(name), each));
}

interface NewEntryProps {
  readonly kind: string;
  readonly name: string;
  readonly onDone: (kind: string, name: string) => void;
  readonly onCancel: () => void;
}

export function NewEntry({ kind, name, onDone, onCancel }: NewEntryProps) {
  const say = configWords.value;
  const first: EntryKind = isKind(kind) ? kind : 'service-defaults';
  const { value, change } = useDraft({ kind: first, text: startOf(first, name) }, 0);
  const said = saidIn(value.text);
  const may = useAllowed(rightOf(said ?? { Kind: value.kind, Name: name }));
  const action = said?.Name ? writeEntry(value.text, 0) : undefined;
  const done = () => {
    const { Kind = '', Name = '' } = said ?? {};
    onDone(Kind, Name);
    tell(say.saved(Kind, Name));
  };
  return (
    <Form
      label={say.new}
      verb={uiWords.value.make}
      action={may === false ? undefined : action}
      onDone={done}
      onCancel={onCancel}
    >
      <Choice<EntryKind>
        label={say.kind}
        value={value.kind}
        of={Object.fromEntries(Object.keys(KINDS).map((each) => [each, each]))}
        onChoose={(next) => change({ kind: next, text: startOf(next, said?.Name ?? name) })}
      />
      <p class="aside">{say.kinds[value.kind]}</p>
      <Text text={value.text} onWrite={(text) => change({ text })} />
      {may === false && <p class="partial">{say.mayNotWrite}</p>}
    </Form>
  );
}

interface TextProps {
  readonly text: string;
  readonly onWrite: (text: string) => void;
}

function Text({ text, onWrite }: TextProps) {
  const say = configWords.value;
  return (
    <>
      <Area label={say.text} hint={say.textHint} value={text} onWrite={onWrite} />
      {saidIn(text) === undefined && (
        <p class="form-problem" role="status">
          {say.notEntry} {jsonProblem(text)}
        </p>
      )}
    </>
  );
}
