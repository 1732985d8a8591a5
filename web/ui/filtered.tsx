/** A live list with its filter: what matches, or why there is nothing. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Shown as Answer } from '../core/live-query.ts';
import { uiWords } from '../words/ui-words.ts';
import type { FilterField } from './completion.ts';
import { type Filter, FilterBox, hasWords } from './filter-box.tsx';
import { type Sees, useSees } from './sees.ts';
import { Nothing, Shown } from './shown.tsx';
import { Table, type TableProps } from './table.tsx';

interface FilteredProps<Row> extends Omit<TableProps<Row>, 'rows'> {
  readonly of: Answer<readonly Row[]>;
  /** To see all of them. A server keeps back what somebody may not see, and says nothing of it. */
  readonly sees: Sees;
  /** As the address says it: whoever asks sends its expression along. */
  readonly filter: Filter;
  /** Where the filter's words are looked for. */
  readonly textsOf: (row: Row) => readonly string[];
  /** What an expression may ask for, and one that somebody may want; without them it takes words alone. */
  readonly fields?: readonly FilterField[];
  readonly example?: string;
  /** Where there is nothing at all, and nothing that matches. */
  readonly none: ComponentChildren;
  readonly noMatch: ComponentChildren;
}

export function Filtered<Row>(props: FilteredProps<Row>) {
  const { of, sees, filter, textsOf, fields = [], example = '', none, noMatch, ...table } = props;
  const all = of.value ?? [];
  const seesAll = useSees(sees);
  // The same list for the same rows and words: what is sorted stays so while something else is shown anew.
  const rows = useMemo(
    () => all.filter((row) => hasWords(filter, textsOf(row))),
    [of.value, filter.words.join(' ')],
  );
  const isFiltered = filter.expression !== '' || filter.words.length > 0;
  const isBadFilter = of.standing === 'refused' && filter.expression !== '';
  return (
    <>
      <FilterBox
        example={example}
        fields={fields}
        shown={rows.length}
        all={all.length}
        problem={isBadFilter ? of.problem : ''}
      />
      {isBadFilter || (
        <Shown of={of}>
          {() => {
            if (all.length === 0 && !isFiltered) return <Nothing seesAll={seesAll}>{none}</Nothing>;
            return (
              <>
                {rows.length > 0 ? <Table {...table} rows={rows} /> : noMatch}
                {seesAll === false && !of.isPartial && (
                  <p class="partial">{uiWords.value.notAll}</p>
                )}
              </>
            );
          }}
        </Shown>
      )}
    </>
  );
}
