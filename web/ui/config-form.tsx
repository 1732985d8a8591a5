/** A config entry as JSON: written upon what was seen, and checked by the server. */
import {
  type ConfigEntryRow,
  changeEntry,
  deleteEntry,
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
import { HIDDEN } from '../core/secrets.ts';
import { jsonProblem } from '../core/values.ts';
import type { Done } from '../core/way-back.ts';
import { configWords } from '../words/config-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { tellDone } from './asked.tsx';
import { Area, Choice, Form, useDraft } from './form.tsx';

interface ConfigFormProps {
  readonly entry: ConfigEntryRow;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

export function ConfigForm({ entry, onDone, onCancel }: ConfigFormProps) {
  const say = configWords.value;
  const draft = useDraft(
    `config ${entry.Kind} ${entry.Name}`,
    { text: shownTextOf(entry) },
    entry.ModifyIndex,
  );
  const { text } = draft.value;
  const said = saidIn(text);
  const isSame = said?.Kind === entry.Kind && said.Name === entry.Name;
  const action = isSame ? changeEntry(text, entry) : undefined;
  const done = (saved: Done) => {
    const { Kind, Name } = entry;
    onDone();
    void tellDone(say.saved(Kind, Name), saved, {
      action: (index) => writeEntry(textOf(entry), index),
      at: entryPath(Kind, Name),
      left: 'sent',
    });
  };
  return (
    <Form
      label={uiWords.value.edit}
      verb={uiWords.value.save}
      action={action}
      draft={draft}
      onDone={done}
      onCancel={onCancel}
    >
      <Text text={text} onWrite={(next) => draft.change({ text: next })} />
      {said !== undefined && !isSame && <p class="form-problem">{say.isOther}</p>}
      {isSame && action === undefined && <p class="form-problem">{uiWords.value.putIn(HIDDEN)}</p>}
    </Form>
  );
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
  const fresh = { kind: first, text: startOf(first, name) };
  const draft = useDraft(`new config ${first} ${name}`, fresh, 0);
  const { value, change } = draft;
  const said = saidIn(value.text);
  const may = useAllowed(rightOf(said ?? { Kind: value.kind, Name: name }));
  const action = said?.Name ? writeEntry(value.text, 0) : undefined;
  const done = (made: Done) => {
    const { Kind = '', Name = '' } = said ?? {};
    onDone(Kind, Name);
    void tellDone(say.saved(Kind, Name), made, {
      action: (index) => deleteEntry({ Kind, Name, ModifyIndex: index }),
      at: entryPath(Kind, Name),
      left: 'sent',
    });
  };
  return (
    <Form
      label={say.new}
      verb={uiWords.value.make}
      action={may === false ? undefined : action}
      draft={draft}
      onDone={done}
      onCancel={onCancel}
    >
      <Choice<EntryKind>
        label={say.kind}
        value={value.kind}
        of={Object.fromEntries(Object.keys(KINDS).map((each) => [each, each]))}
        onChoose={(next) => change({ kind: next, text: asKind(next, value, said?.Name ?? name) })}
      />
      <p class="aside">{say.kinds[value.kind]}</p>
      <Text text={value.text} onWrite={(text) => change({ text })} />
      {may === false && <p class="partial">{say.mayNotWrite}</p>}
    </Form>
  );
}

interface Written {
  readonly kind: EntryKind;
  readonly text: string;
}

/** How one of the kind begins; what somebody has written already stays, and says the kind. */
function asKind(next: EntryKind, { kind, text }: Written, name: string): string {
  if (text === startOf(kind, name)) return startOf(next, name);
  return text.replace(/("Kind"\s*:\s*)"[^"]*"/, (_, before: string) => `${before}"${next}"`);
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
