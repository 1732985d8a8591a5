/** How something stands: a shape, a word and a colour, of which each says it alone. */
import { uiWords } from '../words/ui-words.ts';

export const STATUSES = ['passing', 'warning', 'critical', 'maintenance'] as const;
export type Status = (typeof STATUSES)[number];
export type Known = Status | 'none';

/** Drawn in a field of 16 by 16. */
const SHAPES: Readonly<Record<Known, string>> = {
  // A circle with a tick, a triangle, an octagon with a cross, a square with two bars, an empty ring.
  passing: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.2 4.2L7 9.6 4.9 7.5 3.8 8.6 7 11.8l5.3-5.5Z',
  warning: 'M8 1.2 15.4 14.5H.6ZM7.2 6v4.2h1.6V6Zm0 5.3v1.6h1.6v-1.6Z',
  critical:
    'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.7 3.6L4.6 5.7 6.9 8l-2.3 2.3 1.1 1.1L8 9.1l2.3 2.3 1.1-1.1L9.1 8l2.3-2.3-1.1-1.1L8 6.9Z',
  maintenance: 'M2 2h12v12H2Zm3.2 3v6h1.9V5Zm3.7 0v6h1.9V5Z',
  none: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8Z',
};

export function StatusSign({ status, label }: { readonly status: Known; readonly label?: string }) {
  return (
    <span class={`status ${status}`}>
      <Shape status={status} />
      <span>{label ?? uiWords.value.status[status]}</span>
    </span>
  );
}

/** Where the word stands beside it anyway. */
export function Shape({ status }: { readonly status: Known }) {
  return (
    // Inside of a drawing a style's width counts for nothing.
    <svg class={`shape ${status}`} width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      <path fill-rule="evenodd" d={SHAPES[status]} />
    </svg>
  );
}

/** Whatever a check may say: what is none of these counts as one that fails. */
export function statusOf(text: string): Status {
  return STATUSES.find((each) => each === text) ?? 'critical';
}
