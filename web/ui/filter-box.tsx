/** Where a list is filtered: by words, or by Consul's filter language, of which it offers what may come next. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useKey } from '../core/keys.ts';
import { query, setQuery } from '../core/router.ts';
import { shellWords } from '../words/shell-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { type FilterField, isExpression, type Offer, offersFor } from './completion.ts';

const CALM_MS = 200;

export interface Filter {
  /** Each of them must be somewhere in a row. */
  readonly words: readonly string[];
  /** For the server; '' where there is none. */
  readonly expression: string;
}

/** What the address says; of a list that no server filters, words alone. */
export function useFilter({ hasExpressions = true } = {}): Filter {
  const text = query.value.get('filter') ?? '';
  if (hasExpressions && isExpression(text)) return { words: [], expression: text };
  return { words: text.toLowerCase().split(/\s+/).filter(Boolean), expression: '' };
}

/** Whether all the words are in one of the texts, of which a stranger may have made any number. */
export function hasWords({ words }: Filter, texts: readonly string[]): boolean {
  if (words.length === 0) return true;
  const all = texts.join('\n').toLowerCase();
  return words.every((word) => all.includes(word));
}

interface FilterBoxProps {
  /** An expression that somebody may want; '' where the list takes none. */
  readonly example: string;
  readonly fields: readonly FilterField[];
  readonly shown: number;
  readonly all: number;
  /** What the server said of an expression. */
  readonly problem: string;
}

export function FilterBox({ example, fields, shown, all, problem }: FilterBoxProps) {
  const say = uiWords.value;
  const inAddress = query.value.get('filter') ?? '';
  const [text, setText] = useState(inAddress);
  const [chosen, setChosen] = useState(-1);
  const [isOpen, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useKey(
    '/',
    () => shellWords.value.focusFilter,
    () => input.current?.focus(),
  );
  useCalmly(text, inAddress, setText);

  const offers = isOpen && example !== '' ? offersFor(text, fields) : [];
  const write = (next: string) => {
    setText(next);
    setChosen(-1);
  };
  const take = ({ text: offered, from }: Offer) => {
    write(`${text.slice(0, from)}${offered} `);
    input.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    const offer = offers[chosen];
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps !== undefined && offers.length > 0) {
      setChosen((chosen + steps + offers.length + 1) % (offers.length + 1));
    } else if ((event.key === 'Enter' || event.key === 'Tab') && offer !== undefined) take(offer);
    else if (event.key === 'Escape' && offers.length > 0) setOpen(false);
    else if (event.key === 'Escape') write('');
    else return;
    event.preventDefault();
  };

  return (
    <search class="filter">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={say.filter}
        aria-expanded={offers.length > 0}
        aria-controls={`${id}-offers`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 && offers[chosen] ? `${id}-${chosen}` : undefined}
        aria-invalid={problem !== ''}
        aria-describedby={`${id}-said`}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={example === '' ? say.filterWords : say.filterHint(example)}
        value={text}
        onInput={({ currentTarget }) => {
          write(currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKey}
      />
      <span class="matching" id={`${id}-said`} role="status">
        {problem === '' ? say.matching(shown, all) : `${say.badFilter}: ${problem}`}
      </span>
      <Offers id={id} offers={offers} chosen={chosen} onTake={take} />
    </search>
  );
}

/** The address follows when somebody pauses: a list is not asked for at each key. */
function useCalmly(text: string, inAddress: string, onOther: (text: string) => void): void {
  const own = useRef(inAddress);
  useEffect(() => {
    if (text === inAddress) return;
    const timer = setTimeout(() => {
      own.current = text.trim() === '' ? '' : text;
      setQuery({ filter: own.current });
    }, CALM_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    // Of what was written here itself somebody may have written on by the time that it is in the address.
    if (inAddress !== own.current) onOther(inAddress);
    own.current = inAddress;
  }, [inAddress]);
}

interface OffersProps {
  readonly id: string;
  readonly offers: readonly Offer[];
  readonly chosen: number;
  readonly onTake: (offer: Offer) => void;
}

function Offers({ id, offers, chosen, onTake }: OffersProps) {
  return (
    <div
      id={`${id}-offers`}
      class="offers"
      role="listbox"
      aria-label={uiWords.value.suggestions}
      hidden={offers.length === 0}
    >
      {offers.map((offer, i) => (
        <div
          key={offer.text}
          id={`${id}-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === chosen}
          // The box keeps the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            onTake(offer);
          }}
        >
          {offer.text}
        </div>
      ))}
    </div>
  );
}
