/** What a key says, to be written: as what it is read, in its colours, and the first place that is wrong. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { choose, chosenFor } from '../core/chosen-forms.ts';
import type { Fault } from '../core/fault.ts';
import { faultIn, MAX_READ } from '../core/faults.ts';
import { FORMS, type Form, formOf, isSure } from '../core/forms.ts';
import { linesIn } from '../core/highlight.ts';
import { laidOut } from '../core/json-layout.ts';
import { formWords } from '../words/form-words.ts';
import { kvWords } from '../words/kv-words.ts';

interface TextProps {
  readonly name: string;
  readonly text: string;
  readonly isFixed: boolean;
  readonly onWrite: (text: string) => void;
}

/** Beyond it each key would be answered late. */
const MAX_COLOURED = { characters: 60_000, lines: 1500 };

export function Text({ name, text, isFixed, onWrite }: TextProps) {
  const [, setChosen] = useState<Form>();
  const field = useRef<HTMLTextAreaElement>(null);
  const chosen = chosenFor(name);
  const form = chosen ?? formOf(name, text);
  const fault = useFault(form, text);
  const shown =
    fault !== undefined && (fault === 'none' || isSure(form, name, chosen)) ? fault : undefined;
  const mayBeTidied = form === 'json' && shown === 'none' && !isFixed;
  const tidy = useMemo(() => (mayBeTidied ? laidOut(text) : undefined), [mayBeTidied, text]);
  const common = {
    'aria-label': kvWords.value.value,
    'aria-invalid': typeof shown === 'object',
    'aria-describedby': 'form-said',
    spellcheck: false,
    readOnly: isFixed,
    value: text,
    ref: field,
    onInput: ({ currentTarget }: { readonly currentTarget: HTMLTextAreaElement }) =>
      onWrite(currentTarget.value),
  };
  const lines = text.split('\n').length;
  const isColoured = lines <= MAX_COLOURED.lines && text.length <= MAX_COLOURED.characters;
  return (
    <>
      {isColoured ? (
        <div class="code">
          <Colours form={form} text={text} wrong={typeof shown === 'object' ? shown.line : 0} />
          <textarea {...common} />
        </div>
      ) : (
        <textarea {...common} rows={30} />
      )}
      <div class="form">
        <label>
          {formWords.value.form}
          <select
            value={form}
            onChange={({ currentTarget: { value } }) => {
              choose(name, value as Form);
              setChosen(value as Form);
            }}
          >
            {FORMS.map((each) => (
              <option key={each} value={each}>
                {formWords.value.forms[each]}
              </option>
            ))}
          </select>
        </label>
        <Said
          form={form}
          text={text}
          fault={shown}
          onShow={(place) => select(field.current, place)}
        />
        {tidy !== undefined && tidy !== text && (
          <button type="button" class="quiet" onClick={() => onWrite(tidy)}>
            {formWords.value.tidy}
          </button>
        )}
      </div>
    </>
  );
}

interface SaidProps {
  readonly form: Form;
  readonly text: string;
  readonly fault: Fault | 'none' | undefined;
  readonly onShow: (fault: Fault) => void;
}

function Said({ form, text, fault, onShow }: SaidProps) {
  const say = formWords.value;
  const isLong = form !== 'text' && text.length > MAX_READ;
  return (
    <>
      <p id="form-said" role="status" class={typeof fault === 'object' ? 'form-problem' : 'aside'}>
        {isLong && say.tooLong}
        {fault === 'none' && !isLong && say.isRight[form]}
        {typeof fault === 'object' && inWords(form, fault)}
      </p>
      {typeof fault === 'object' && fault.line > 0 && (
        <button type="button" class="quiet" onClick={() => onShow(fault)}>
          {say.toPlace}
        </button>
      )}
    </>
  );
}

function inWords(form: Form, { line, column, says }: Fault): string {
  const say = formWords.value;
  return line === 0
    ? `${say.isWrong[form]}: ${says}`
    : `${say.isWrong[form]}: ${say.at(line, column)}: ${says}`;
}

const SETTLE_MS = 150;

/** Undefined until it is known, and while somebody types. */
function useFault(form: Form, text: string): Fault | 'none' | undefined {
  const [known, setKnown] = useState<{ of: string; fault: Fault | 'none' | undefined }>();
  const of = `${form} ${text}`;
  useEffect(() => {
    let isOver = false;
    const look = async () => {
      const fault = text.trim() === '' ? undefined : ((await faultIn(form, text)) ?? 'none');
      if (!isOver) setKnown({ of, fault });
    };
    // What reads it may not be there when the server is gone: then nothing is said of it.
    const timer = setTimeout(
      () => void look().catch(() => undefined),
      known === undefined ? 0 : SETTLE_MS,
    );
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [of]);
  return known?.of === of ? known.fault : undefined;
}

interface ColoursProps {
  readonly form: Form;
  readonly text: string;
  /** A line, from 1. */
  readonly wrong: number;
}

/** Lies behind the field, whose own letters are not painted: each must stand where it does there. */
function Colours({ form, text, wrong }: ColoursProps) {
  return (
    <pre aria-hidden="true">
      {linesIn(form, text).map((pieces, i) => (
        // Lines have no name but their place.
        <span key={`${i} `} class={i + 1 === wrong ? 'line wrong' : 'line'}>
          {pieces.map(({ is, text: part }, at) =>
            is === 'plain' ? (
              part
            ) : (
              <span key={`${at} `} class={is}>
                {part}
              </span>
            ),
          )}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function select(field: HTMLTextAreaElement | null, { line, column }: Fault): void {
  if (field === null) return;
  const before = field.value.split('\n').slice(0, line - 1);
  const at = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  field.focus();
  field.setSelectionRange(at, at + 1);
}
