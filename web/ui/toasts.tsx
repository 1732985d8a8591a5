/** What has just happened, told beside the page, and for a while the way back from it. */
import { effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useKey } from '../core/keys.ts';
import { token } from '../core/token.ts';
import { uiWords } from '../words/ui-words.ts';
import { useClipped } from './clipped.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
  readonly undo: (() => void) | undefined;
}

const SHOWN_MS = 10_000;
/** Who has to find a way back has more time for it. */
const SHOWN_WITH_UNDO_MS = 30_000;
const MAX_SHOWN = 3;

const toasts = signal<readonly Toast[]>([]);
let next = 1;

interface Told {
  /** It stays until somebody has seen it. */
  readonly isBad?: boolean;
  readonly undo?: (() => void) | undefined;
}

/** Another token would take back what this one has done, and what is put back may hold a secret. */
effect(() => {
  token.value;
  toasts.value = toasts.peek().filter(({ undo }) => undo === undefined);
});

export function tell(text: string, { isBad = false, undo }: Told = {}): void {
  const all = [...toasts.peek(), { id: next++, text, isBad, undo }];
  const spare = all.length > MAX_SHOWN ? (all.find((each) => !each.isBad) ?? all[0]) : undefined;
  toasts.value = all.filter((each) => each !== spare);
}

function dismiss({ id }: Toast): void {
  toasts.value = toasts.peek().filter((each) => each.id !== id);
}

function takeBack(toast: Toast): void {
  dismiss(toast);
  toast.undo?.();
}

/** What says something is there before it does: else nobody hears the first. */
export function Toasts() {
  const all = toasts.value;
  const last = all.findLast(({ undo }) => undo !== undefined);
  return (
    <div class="toasts">
      <div role="status">
        {all.map((each) => each.isBad || <OneToast key={each.id} toast={each} />)}
      </div>
      <div role="alert">
        {all.map((each) => each.isBad && <OneToast key={each.id} toast={each} />)}
      </div>
      {last !== undefined && <UndoKey toast={last} />}
    </div>
  );
}

function UndoKey({ toast }: { readonly toast: Toast }) {
  const run = useRef(() => {});
  run.current = () => takeBack(toast);
  useKey(
    'u',
    () => uiWords.value.undoKey,
    () => run.current(),
  );
  return null;
}

function OneToast({ toast }: { readonly toast: Toast }) {
  const say = uiWords.value;
  const [isHeld, setHeld] = useState(false);
  const { text, isBad, undo } = toast;
  const clipped = useClipped<HTMLSpanElement>(text);
  const isWhole = clipped.kind === 'whole';
  useEffect(() => {
    // It goes from nobody who is at it.
    if (isBad || isHeld) return;
    const timer = setTimeout(
      () => dismiss(toast),
      undo === undefined ? SHOWN_MS : SHOWN_WITH_UNDO_MS,
    );
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    <div
      class={isBad ? 'toast bad' : 'toast'}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      {/* Of all that is told there may be more than the screen has room for. */}
      <span ref={clipped.ref} class={clipped.kind} tabIndex={isWhole ? 0 : undefined}>
        {text}
      </span>
      {clipped.toggle}
      {undo !== undefined && (
        <button type="button" onClick={() => takeBack(toast)}>
          {say.undo}
        </button>
      )}
      <button class="quiet" type="button" aria-label={say.dismiss} onClick={() => dismiss(toast)}>
        ×
      </button>
    </div>
  );
}
