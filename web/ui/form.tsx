/** Forms: what they ask for, what came of sending them, and that somebody else was quicker. */
import '../style/form.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Action } from '../core/action.ts';
import { here, perform } from '../core/actions.ts';
import { formDraftOf, isOnItsWay, keepFormDraft, sending } from '../core/begun-forms.ts';
import { writeJson } from '../core/exact-json.ts';
import type { Done } from '../core/way-back.ts';
import { uiWords } from '../words/ui-words.ts';
import { inWords } from './asked.tsx';
import { Commands } from './commands.tsx';
import { tell } from './toasts.tsx';

export interface Draft<T> {
  readonly value: T;
  readonly change: (part: Partial<T>) => void;
  readonly isChanged: boolean;
  /** What stands there is not any more what it was begun upon. */
  readonly isOvertaken: boolean;
  /** What stands there is shown again, and what was written is gone. */
  readonly takeTheirs: () => void;
  readonly keepMine: () => void;
  /** It is being sent: here, or from where somebody was before. */
  readonly isOnItsWay: () => boolean;
  /** And is forgotten once that is done. */
  readonly send: <A>(how: () => Promise<A>) => Promise<A>;
}

/**
 * What somebody makes of a thing, whatever becomes of it or of the page meanwhile. `named` tells it from all others,
 * `index` is of what stands there.
 */
export function useDraft<T extends object>(named: string, of: T, index: number): Draft<T> {
  const begun = formDraftOf<T>(named);
  const { value, upon } = begun ?? { value: of, upon: index };
  return {
    value,
    change: (part) => {
      // Two fields may be written before the form is shown anew.
      const { value: last, upon: first } = formDraftOf<T>(named) ?? { value: of, upon: index };
      const next = { ...last, ...part };
      const isAsItWas = first === index && writeJson(next) === writeJson(of);
      keepFormDraft(named, isAsItWas ? undefined : { value: next, upon: first });
    },
    isChanged: begun !== undefined,
    isOvertaken: upon !== index,
    takeTheirs: () => keepFormDraft(named, undefined),
    keepMine: () => keepFormDraft(named, { value, upon: index }),
    isOnItsWay: () => isOnItsWay(named),
    send: (how) => sending(named, how),
  };
}

type Kept = Omit<Draft<never>, 'value' | 'change'>;

interface FormProps {
  readonly label: string;
  /** As it would be sent now; undefined where something is missing. */
  readonly action: Action | undefined;
  readonly verb: string;
  readonly draft: Kept;
  readonly onDone: (done: Done) => void;
  readonly onCancel?: (() => void) | undefined;
  readonly children: ComponentChildren;
}

export function Form({ label, action, verb, draft, onDone, onCancel, children }: FormProps) {
  const [problem, setProblem] = useState('');
  const { isOvertaken } = draft;
  const isBusy = draft.isOnItsWay();
  // Somebody has come back to it.
  const [isBegunBefore] = useState(draft.isChanged);
  const isLeft = useRef(false);
  useEffect(
    () => () => {
      isLeft.current = true;
    },
    [],
  );
  const run = async () => {
    if (action === undefined || isOvertaken || draft.isOnItsWay()) return;
    const focused = document.activeElement;
    try {
      const done = here(action);
      const answer = await draft.send(() => perform(done));
      setProblem('');
      // Whoever has gone elsewhere meanwhile is not taken away from there.
      if (isLeft.current) tell(uiWords.peek().sent(label));
      else onDone({ action: done, answer });
    } catch (error) {
      if (isLeft.current) tell(inWords(error), { isBad: true });
      setProblem(inWords(error));
    } finally {
      // What was out of use for a while has lost it.
      if (document.activeElement === document.body && focused instanceof HTMLElement) {
        requestAnimationFrame(() => focused.focus());
      }
    }
  };
  const latest = useRef(run);
  latest.current = run;
  const giveUp = () => {
    draft.takeTheirs();
    onCancel?.();
  };
  return (
    <form
      class="form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        addWritten(event.currentTarget);
        // What that has added is shown by then.
        void Promise.resolve().then(() => latest.current());
      }}
    >
      {isBegunBefore && draft.isChanged && (
        <p class="partial" role="status">
          {uiWords.value.begunBefore}{' '}
          <button type="button" class="quiet" onClick={draft.takeTheirs}>
            {uiWords.value.beginAnew}
          </button>
        </p>
      )}
      {/* What is written while it is on its way would be neither sent nor kept. */}
      <fieldset disabled={isBusy}>{children}</fieldset>
      {isOvertaken && <Overtaken {...draft} />}
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        {onCancel !== undefined && (
          <button type="button" onClick={giveUp}>
            {uiWords.value.cancel}
          </button>
        )}
        <button
          type="submit"
          class="main"
          disabled={isBusy || isOvertaken || action === undefined}
          // Else it would go away from under the pointer, as what is left is added.
          onMouseDown={(event) => event.preventDefault()}
        >
          {verb}
        </button>
      </div>
      {action !== undefined && <Commands action={action} />}
    </form>
  );
}

/** A name that is written and not added yet is meant too. */
function addWritten(form: HTMLFormElement): void {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement) || !form.contains(at) || at.closest('.several') === null) return;
  at.blur();
  at.focus();
}

function Overtaken({ takeTheirs, keepMine }: Kept) {
  const say = uiWords.value;
  return (
    <div class="problem" role="alert">
      <p>{say.overtaken}</p>
      <div class="actions">
        <button type="button" onClick={takeTheirs}>
          {say.takeTheirs}
        </button>
        <button type="button" onClick={keepMine}>
          {say.keepMine}
        </button>
      </div>
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onWrite: (text: string) => void;
  readonly hint?: ComponentChildren;
  /** Why it cannot be taken; '' where it can. */
  readonly problem?: string | undefined;
  readonly placeholder?: string;
  /** What it may be, to be chosen from. */
  readonly offers?: readonly string[];
  readonly isFixed?: boolean;
  readonly isSecret?: boolean;
  /** Somebody has written all of it, or goes elsewhere. */
  readonly onLeave?: () => void;
}

/** One line. */
export function Field(props: FieldProps) {
  const { label, value, onWrite, hint, placeholder, offers, isFixed, isSecret, onLeave } = props;
  const { problem = '' } = props;
  const id = useId();
  const offered = offers && near(offers, value);
  const describing = [
    ...(problem === '' ? [] : [`${id}-problem`]),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ];
  const describedBy = describing.length === 0 ? undefined : describing.join(' ');
  return (
    <Labelled id={id} label={label} hint={hint}>
      <input
        id={id}
        {...(isSecret ? { type: 'password' } : { type: 'text', list: offers && `${id}-offers` })}
        value={value}
        placeholder={placeholder}
        readOnly={isFixed}
        aria-invalid={problem !== '' || undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => onWrite(currentTarget.value)}
        onBlur={onLeave}
        onKeyDown={(event) => {
          if (onLeave === undefined || event.key !== 'Enter') return;
          event.preventDefault();
          onLeave();
        }}
      />
      {problem !== '' && (
        <span id={`${id}-problem`} role="alert" class="form-problem">
          {problem}
        </span>
      )}
      {offered && (
        <datalist id={`${id}-offers`}>
          {offered.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </Labelled>
  );
}

const MAX_OFFERED = 50;

/** Nobody chooses one of ten thousand: those that have what is written, the first of them. */
function near(offers: readonly string[], value: string): readonly string[] {
  const written = value.toLowerCase();
  const found: string[] = [];
  for (const each of offers) {
    if (each.toLowerCase().includes(written)) found.push(each);
    if (found.length === MAX_OFFERED) break;
  }
  return found;
}

interface LabelledProps {
  readonly id: string;
  readonly label: string;
  readonly hint: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The hint is no part of its name. */
function Labelled({ id, label, hint, children }: LabelledProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

interface AreaProps {
  readonly label: string;
  readonly value: string;
  readonly onWrite: (text: string) => void;
  readonly hint?: ComponentChildren;
}

/** Many lines, of a language that is not ours. */
export function Area({ label, value, onWrite, hint }: AreaProps) {
  const id = useId();
  const lines = value.split('\n').length;
  return (
    <Labelled id={id} label={label} hint={hint}>
      <textarea
        id={id}
        value={value}
        rows={Math.min(30, Math.max(5, lines + 1))}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        spellcheck={false}
        onInput={({ currentTarget }) => onWrite(currentTarget.value)}
      />
    </Labelled>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  /** Each with what it is called. */
  readonly of: { readonly [K in T]?: string };
  readonly onChoose: (value: T) => void;
}

export function Choice<T extends string>({ label, value, of, onChoose }: ChoiceProps<T>) {
  const choose = (name: string) => isOneOf(name, of) && onChoose(name);
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {Object.entries<string | undefined>(of).map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function isOneOf<T extends string>(name: string, of: ChoiceProps<T>['of']): name is T {
  return Object.hasOwn(of, name);
}

interface TickProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onTick: (isOn: boolean) => void;
}

export function Tick({ label, isOn, onTick }: TickProps) {
  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={isOn}
        onChange={({ currentTarget }) => onTick(currentTarget.checked)}
      />
      {label}
    </label>
  );
}

interface SeveralProps {
  readonly label: string;
  readonly values: readonly string[];
  readonly offers?: readonly string[];
  readonly hint?: ComponentChildren;
  readonly onChange: (values: readonly string[]) => void;
}

/** Several names, each of which can be taken out again. */
export function Several({ label, values, offers = [], hint, onChange }: SeveralProps) {
  const say = uiWords.value;
  const [text, setText] = useState('');
  const add = () => {
    const name = text.trim();
    setText('');
    if (name !== '' && !values.includes(name)) onChange([...values, name]);
  };
  return (
    <div class="several">
      <div class="beside">
        <Field
          label={label}
          value={text}
          onWrite={setText}
          onLeave={add}
          hint={hint}
          offers={offers.filter((each) => !values.includes(each))}
        />
        <button type="button" disabled={text.trim() === ''} onClick={add}>
          {say.add}
        </button>
      </div>
      <ul>
        {values.map((each) => (
          <li key={each} class="tag">
            {each}
            <button
              type="button"
              class="quiet"
              aria-label={say.remove(each)}
              onClick={() => onChange(values.filter((other) => other !== each))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
