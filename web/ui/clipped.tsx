/** A text of any length, of which so much stands there that what is around it stays in sight; all of it for who asks. */
import type { RefObject, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { uiWords } from '../words/ui-words.ts';

interface Clipped<T> {
  readonly ref: RefObject<T | null>;
  /** Of what has the text. */
  readonly kind: 'clipped' | 'whole';
  /** Leads to all of it, and back; null where nothing is cut. */
  readonly toggle: VNode | null;
}

/** Letters reach a little beyond their lines. A line has more than that. */
const MAX_BEYOND = 8;

export function useClipped<T extends HTMLElement>(text: string): Clipped<T> {
  const say = uiWords.value;
  const ref = useRef<T>(null);
  const [isCut, setCut] = useState(false);
  // Of another text nobody has asked for all.
  const [asked, setAsked] = useState<string>();
  const isWhole = asked === text;
  useLayoutEffect(() => {
    const { current } = ref;
    if (current === null || isWhole) return;
    const look = () => setCut(current.scrollHeight > current.clientHeight + MAX_BEYOND);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(current);
    return () => observer.disconnect();
  }, [text, isWhole]);
  const toggle = (
    <button
      type="button"
      class="quiet"
      aria-expanded={isWhole}
      onClick={() => setAsked(isWhole ? undefined : text)}
    >
      {isWhole ? say.showLess : say.showAll}
    </button>
  );
  return { ref, kind: isWhole ? 'whole' : 'clipped', toggle: isCut ? toggle : null };
}
