/** Parts of a page of which one is shown: which, the address says. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { query, setQuery } from '../core/router.ts';

export interface Tab {
  readonly name: string;
  readonly title: string;
  /** How many there are of what it shows. */
  readonly count?: string | undefined;
  readonly show: () => ComponentChildren;
}

/** The first is shown where the address says nothing. */
export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const wanted = query.value.get('show');
  const shown = tabs.find(({ name }) => name === wanted) ?? tabs[0];
  const choose = (name: string) =>
    setQuery({ show: name === tabs[0]?.name ? '' : name, filter: '' });
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const at = shown === undefined ? 0 : tabs.indexOf(shown);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next === undefined) return;
    choose(next.name);
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  const list = useRef<HTMLDivElement>(null);
  const name = shown?.name ?? '';
  // What counts there are comes later, and takes room.
  const counts = tabs.map(({ count = '' }) => count).join();
  useLayoutEffect(() => showTab(list.current, name), [name, counts]);
  return (
    <>
      <div role="tablist" ref={list} class="tabs" aria-label={label} onKeyDown={step}>
        {tabs.map(({ name: each, title, count }) => (
          <button
            key={each}
            id={`tab-${each}`}
            type="button"
            role="tab"
            class="quiet"
            aria-selected={each === name}
            tabIndex={each === name ? 0 : -1}
            onClick={() => choose(each)}
          >
            {title}
            {count !== undefined && <span class="aside">{count}</span>}
          </button>
        ))}
      </div>
      {shown !== undefined && (
        <div key={shown.name} role="tabpanel" class="panel" aria-labelledby={`tab-${shown.name}`}>
          {shown.show()}
        </div>
      )}
    </>
  );
}

/** A small screen has not room for all of them. */
function showTab(list: HTMLElement | null, name: string): void {
  const tab = document.getElementById(`tab-${name}`);
  if (list === null || tab === null) return;
  const isSeen =
    tab.offsetLeft >= list.scrollLeft &&
    tab.offsetLeft + tab.offsetWidth <= list.scrollLeft + list.clientWidth;
  if (!isSeen) list.scrollLeft = tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
}
