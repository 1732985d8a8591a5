/**
 * Actions: somebody is asked first, sees the same as a command to copy, and is told what came of it, with
 * the way back where there is one.
 */
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Action } from '../core/action.ts';
import { NOT_DONE, perform } from '../core/actions.ts';
import { Refusal } from '../core/refusal.ts';
import { uiWords } from '../words/ui-words.ts';
import { Commands } from './commands.tsx';
import { Dialog } from './dialog.tsx';
import { tell } from './toasts.tsx';

export interface Asking {
  readonly title: string;
  /** What it comes to, for whoever reads nothing else. */
  readonly text: string;
  readonly action: Action;
  /** On the button: what is done. */
  readonly verb: string;
  /** What is told when it is done. */
  readonly done: string;
  readonly undo?: Action | undefined;
  /** With what was answered. */
  readonly onDone?: (answer: unknown) => void;
  /** Something is lost that no button brings back. */
  readonly isGrave?: boolean;
  /** Where it must be done by a command, why; '' where it may be done here. */
  readonly elsewhere?: string;
}

const asking = signal<Asking | undefined>(undefined);

export function askFirst(about: Asking): void {
  asking.value = about;
}

/** Of the shell. */
export function Asked() {
  const about = asking.value;
  const close = () => {
    asking.value = undefined;
  };
  return about === undefined ? null : <Question key={about.title} about={about} onClose={close} />;
}

interface QuestionProps {
  readonly about: Asking;
  readonly onClose: () => void;
}

function Question({ about, onClose }: QuestionProps) {
  const say = uiWords.value;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const isElsewhere = (about.elsewhere ?? '') !== '';
  const run = async () => {
    setBusy(true);
    try {
      const answer = await perform(about.action);
      onClose();
      about.onDone?.(answer);
      const { undo } = about;
      tell(about.done, { undo: undo && (() => void takeBack(undo)) });
    } catch (error) {
      setProblem(inWords(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={about.title} onClose={onClose}>
      <p>{about.text}</p>
      {isElsewhere && <p>{about.elsewhere}</p>}
      <Commands action={about.action} isElsewhere={isElsewhere} />
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <form method="dialog">
        <button type="submit">{isElsewhere ? say.close : say.cancel}</button>
        {!isElsewhere && (
          <button
            class={about.isGrave ? 'grave' : 'main'}
            type="button"
            disabled={isBusy}
            onClick={() => void run()}
          >
            {about.verb}
          </button>
        )}
      </form>
    </Dialog>
  );
}

export async function takeBack(action: Action): Promise<void> {
  try {
    await perform(action);
    tell(uiWords.value.undone);
  } catch (error) {
    tell(inWords(error), { isBad: true });
  }
}

/** Why something was refused, and what may be done about it. */
export function inWords(error: unknown): string {
  const say = uiWords.value;
  if (!(error instanceof Refusal)) return String(error);
  if (error.status === NOT_DONE && error.message === '') return say.notDone;
  if (error.why === 'forbidden') return `${say.mayNot} ${error.message}`;
  return error.why === 'lost' && error.status === 0 ? say.unreachable : error.message;
}
