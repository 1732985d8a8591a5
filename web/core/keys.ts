/** What the keyboard does: single keys and pairs (`g s`), wherever nobody is writing. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

interface Binding {
  /** As it is pressed: '/', '?', 'g s'. */
  readonly keys: string;
  /** What it does, in words. */
  readonly does: () => string;
  readonly run: () => void;
}

/** All that there are by now, for whoever lists them. */
export const bindings = signal<readonly Binding[]>([]);

/** The second key of a pair must come within it. */
const PAIR_MS = 1200;

let first = '';
let forget = 0;

export function bind(binding: Binding): () => void {
  bindings.value = [...bindings.peek(), binding];
  return () => {
    bindings.value = bindings.peek().filter((each) => each !== binding);
  };
}

/** Of a component: for as long as it is shown. */
export function useKey(keys: string, does: () => string, run: () => void): void {
  useEffect(() => bind({ keys, does, run }), [keys]);
}

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const pair = `${first} ${event.key}`;
    const found = find(pair) ?? find(event.key);
    first = '';
    clearTimeout(forget);
    if (found !== undefined) {
      event.preventDefault();
      found.run();
    } else if (bindings.peek().some(({ keys }) => keys.startsWith(`${event.key} `))) {
      first = event.key;
      forget = setTimeout(() => {
        first = '';
      }, PAIR_MS);
    }
  });
}

/** What was bound last goes first: a dialog's before the page's. */
function find(keys: string): Binding | undefined {
  return bindings.peek().findLast((each) => each.keys === keys);
}

function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select, dialog *');
}
