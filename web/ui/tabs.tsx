/** Parts of a page of which one is shown: which, the address says. */
import type { ComponentChildren } from 'preact';
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
  return (
    <>
      <div role="tablist" class="tabs" aria-label={label} onKeyDown={step}>
        {tabs.map(({ name, title, count }) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            class="quiet"
            aria-selected={name === shown?.name}
            tabIndex={name === shown?.name ? 0 : -1}
            onClick={() => choose(name)}
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
