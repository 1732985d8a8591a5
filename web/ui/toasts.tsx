/** What has just happened, told beside the page, and for a while the way back from it. */
import { signal } from '@preact/signals';
import { uiWords } from '../words/ui-words.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
  readonly undo: (() => void) | undefined;
}

const SHOWN_MS = 10_000;
const MAX_SHOWN = 3;

const toasts = signal<readonly Toast[]>([]);
let next = 1;

interface Told {
  /** It stays until somebody has seen it. */
  readonly isBad?: boolean;
  readonly undo?: (() => void) | undefined;
}

export function tell(text: string, { isBad = false, undo }: Told = {}): void {
  const toast = { id: next++, text, isBad, undo };
  toasts.value = [...toasts.peek(), toast].slice(-MAX_SHOWN);
  if (!isBad) setTimeout(() => dismiss(toast), SHOWN_MS);
}

function dismiss({ id }: Toast): void {
  toasts.value = toasts.peek().filter((each) => each.id !== id);
}

export function Toasts() {
  const say = uiWords.value;
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={toast.isBad ? 'toast bad' : 'toast'}>
          <span>{toast.text}</span>
          {toast.undo !== undefined && (
            <button
              type="button"
              onClick={() => {
                dismiss(toast);
                toast.undo?.();
              }}
            >
              {say.undo}
            </button>
          )}
          <button
            class="quiet"
            type="button"
            aria-label={say.dismiss}
            onClick={() => dismiss(toast)}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
