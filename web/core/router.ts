/** Where the reader is. Every address can be sent to somebody else, who then sees the same. */
import { computed, effect, signal } from '@preact/signals';
import { otherDatacenter } from './datacenter.ts';
import { homed, pathOf, type Spot, spotAt } from './path.ts';

const { dataset } = document.documentElement;
const base = dataset['base'] ?? '/ui/';
/** Of the server that served the page. */
export const ownDatacenter = dataset['datacenter'] || 'dc1';

const NOWHERE: Spot = { datacenter: '', parts: [] };

const here = signal(location.pathname);
const search = signal(location.search);

export const spot = computed(() => spotAt(here.value, base) ?? NOWHERE);
export const datacenter = computed(() => spot.value.datacenter || ownDatacenter);

/** What stands behind the question mark: a filter, an order, a tab. */
export const query = computed(() => new URLSearchParams(search.value));

/** The address of something of this data centre. */
export function href(...parts: readonly string[]): string {
  return pathOf({ datacenter: datacenter.value, parts }, base);
}

/** The address of something of the data centre of the server that served the page. */
export function ownHref(...parts: readonly string[]): string {
  return pathOf({ datacenter: ownDatacenter, parts }, base);
}

/** An address that is of no data centre. */
export function pageAddress(path: string): string {
  return base + path;
}

/** Whether somebody may be led there: an address may come from anywhere. */
export function isOfPage(text: string): boolean {
  if (!URL.canParse(text, location.href)) return false;
  const { origin, pathname } = new URL(text, location.href);
  return origin === location.origin && spotAt(pathname, base) !== undefined;
}

export function go(address: string, { replaces = false } = {}): void {
  const isElsewhere = new URL(address, location.href).pathname !== location.pathname;
  if (replaces) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  look();
  if (isElsewhere && !replaces) scrollTo(0, 0);
}

/**
 * Changes parts of the query and nothing else; what is empty is left out. The way back leads past it, but where it is a
 * step: something else is looked at then.
 */
export function setQuery(changes: Readonly<Record<string, string>>, { isStep = false } = {}): void {
  const next = new URLSearchParams(search.peek());
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  const address = here.peek() + (text === '' ? '' : `?${text}`);
  go(address, { replaces: !isStep || address === here.peek() + search.peek() });
}

/** Follows links of the page without loading it anew. */
export function startRouter(isPage: (parts: readonly string[]) => boolean): void {
  const to = homed(spot.peek(), ownDatacenter, isPage);
  if (to !== spot.peek())
    go(pathOf(to, base) + location.search + location.hash, { replaces: true });
  effect(() => {
    otherDatacenter.value = datacenter.value === ownDatacenter ? '' : datacenter.value;
  });
  addEventListener('popstate', look);
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || !isPlain(event) || link.target !== '' || link.download !== '') return;
    if (link.origin !== location.origin || spotAt(link.pathname, base) === undefined) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.href);
  });
}

function look(): void {
  here.value = location.pathname;
  search.value = location.search;
}

/** With another button or a key a link opens where the reader wants it. */
function isPlain(event: MouseEvent): boolean {
  const { button, metaKey, ctrlKey, shiftKey, altKey, defaultPrevented } = event;
  return button === 0 && !(metaKey || ctrlKey || shiftKey || altKey || defaultPrevented);
}
