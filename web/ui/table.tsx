/**
 * A list of any length: only the rows in sight are there, all of one height, and the page itself scrolls. On
 * a small screen a row's cells stand below each other, as its page's style says.
 */
import type { ComponentChild, ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { query, setQuery } from '../core/router.ts';
import { uiWords } from '../words/ui-words.ts';

export interface Column<Row> {
  /** In the address, where the list is sorted by it, and as a class of its cells. */
  readonly name: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Which of two comes first; without it nothing is sorted by this column. */
  readonly compare?: (a: Row, b: Row) => number;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** A class, by which the page's style says how wide its columns are. */
  readonly kind: string;
  /** The column by which the list is sorted where the address says nothing. */
  readonly sortedBy: string;
}

/** Beyond what is in sight, so that a quick hand sees no gaps. */
const MORE_ROWS = 12;
/** What flies by is not what somebody has come for: the rows around are drawn where he stops. */
const SETTLE_MS = 120;

export function Table<Row>({ label, rows, columns, keyOf, kind, sortedBy }: TableProps<Row>) {
  const order = orderOf(query.value.get('sort') ?? sortedBy);
  const sorted = useSorted(rows, columns, order);
  const own = useRef<HTMLDivElement>(null);
  const { from, to, height } = useSight(own, rows.length);
  const drawn = useDrawn(sorted, { from, to, height }, { columns, keyOf });
  return (
    <div role="table" class={`table ${kind}`} aria-label={label} aria-rowcount={rows.length + 1}>
      <div role="row" class="row head" aria-rowindex={1}>
        {columns.map((column) => (
          <Head key={column.name} column={column} order={order} />
        ))}
      </div>
      <div role="rowgroup" ref={own} class="rows" style={{ height: `${rows.length * height}px` }}>
        {drawn}
      </div>
    </div>
  );
}

interface Drawn<Row> {
  readonly row: Row;
  readonly at: number;
  readonly height: number;
  /** Of the element that shows it. */
  readonly place: number;
  readonly shown: ComponentChild;
}

/**
 * While it is scrolled most rows stay where they are, and are not drawn anew. The elements of those that leave show
 * what comes: to make others takes a browser several times as long.
 */
function useDrawn<Row>(
  sorted: readonly Row[],
  { from, to, height }: Sight,
  { columns, keyOf }: Pick<TableProps<Row>, 'columns' | 'keyOf'>,
): readonly ComponentChild[] {
  const last = useRef({ columns, rows: new Map<string, Drawn<Row>>(), made: 0 });
  const { rows: before, columns: ofBefore } = last.current;
  const wanted = new Map<string, Row>();
  for (const row of sorted.slice(from, to)) {
    const key = keyOf(row);
    // Nothing is lost of two that nobody can tell apart.
    wanted.set(wanted.has(key) ? `${key}\0${wanted.size}` : key, row);
  }
  const free = placesOf(before, wanted);
  const rows = new Map<string, Drawn<Row>>();
  let [at, { made }] = [from, last.current];
  for (const [key, row] of wanted) {
    const old = before.get(key);
    const isSame =
      ofBefore === columns && old?.row === row && old.at === at && old.height === height;
    const place = old?.place ?? free.shift() ?? made++;
    const drawn = { row, at, height, place };
    rows.set(key, isSame ? old : { ...drawn, shown: drawnRow(drawn, columns) });
    at++;
  }
  last.current = { columns, rows, made };
  return [...rows.values()].map(({ shown }) => shown);
}

/** The elements whose rows are shown no more. One that has the focus is taken away: it must not be another row's. */
function placesOf<Row>(
  before: ReadonlyMap<string, Drawn<Row>>,
  wanted: ReadonlyMap<string, Row>,
): number[] {
  const focused = document.activeElement?.closest('.rows > .row')?.getAttribute('aria-rowindex');
  return [...before].flatMap(([key, { at, place }]) =>
    wanted.has(key) || focused === String(at + 2) ? [] : [place],
  );
}

function drawnRow<Row>(
  { row, at, height, place }: Omit<Drawn<Row>, 'shown'>,
  columns: readonly Column<Row>[],
): ComponentChild {
  return (
    <div
      key={place}
      role="row"
      class="row"
      aria-rowindex={at + 2}
      style={{ top: `${at * height}px` }}
    >
      {columns.map(({ name, cell }) => (
        <div key={name} role="cell" class={`cell ${name}`}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
}

interface Order {
  readonly by: string;
  readonly isDown: boolean;
}

/** `-name` is name the other way round. */
function orderOf(text: string): Order {
  return text.startsWith('-') ? { by: text.slice(1), isDown: true } : { by: text, isDown: false };
}

function Head<Row>({ column, order }: { readonly column: Column<Row>; readonly order: Order }) {
  const { name, title, compare } = column;
  const isBy = order.by === name;
  const sorted = order.isDown ? 'descending' : 'ascending';
  if (compare === undefined) {
    return (
      <div role="columnheader" class={`cell ${name}`}>
        {title}
      </div>
    );
  }
  return (
    <div role="columnheader" class={`cell ${name}`} aria-sort={isBy ? sorted : undefined}>
      <button
        type="button"
        class="quiet"
        title={uiWords.value.sortedBy(title)}
        onClick={() => setQuery({ sort: isBy && !order.isDown ? `-${name}` : name })}
      >
        {title}
        <span class="arrow" aria-hidden="true">
          {isBy && (order.isDown ? '↓' : '↑')}
        </span>
      </button>
    </div>
  );
}

/** Sorted once for one list and order: while it is scrolled nothing is compared. */
function useSorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { by, isDown }: Order,
): readonly Row[] {
  return useMemo(() => {
    const compare = columns.find(({ name }) => name === by)?.compare;
    const sorted = compare === undefined ? rows : rows.toSorted(compare);
    return isDown ? sorted.toReversed() : sorted;
  }, [rows, by, isDown]);
}

interface Sight {
  readonly from: number;
  readonly to: number;
  readonly height: number;
}

/** Which rows are in sight, and how high one is: a matter of style, which differs by screen. */
function useSight(own: { readonly current: HTMLElement | null }, length: number): Sight {
  const [sight, setSight] = useState<Sight>({ from: 0, to: 40, height: 44 });
  const last = useRef({ top: 0, settles: 0 });
  const look = () => {
    const element = own.current;
    if (element === null) return;
    const height = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 44;
    const { top } = element.getBoundingClientRect();
    const isFlying = Math.abs(top - last.current.top) > innerHeight / 2;
    clearTimeout(last.current.settles);
    last.current = { top, settles: isFlying ? setTimeout(look, SETTLE_MS) : 0 };
    const more = isFlying ? 1 : MORE_ROWS;
    const from = Math.max(0, Math.floor(-top / height) - more);
    const to = Math.ceil((innerHeight - top) / height) + more;
    setSight((old) =>
      old.from === from && old.to === to && old.height === height ? old : { from, to, height },
    );
  };
  useLayoutEffect(look, [length]);
  useEffect(() => {
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      clearTimeout(last.current.settles);
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, []);
  return sight;
}
