/**
 * Actions: somebody is asked first, sees the same as a command to copy, and is told what came of it, with
 * the way back where there is one.
 */
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Action } from '../core/action.ts';
import { here, NOT_DONE, perform } from '../core/actions.ts';
import { IN_PLACE, Refusal, UNHEARD } from '../core/refusal.ts';
import { spot } from '../core/router.ts';
import {
  againAfter,
  type Done,
  openedBy,
  PartlyBack,
  type Return,
  type WayBack,
} from '../core/way-back.ts';
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
  readonly undo?: WayBack | undefined;
  /** With what was answered. */
  readonly onDone?: (answer: unknown) => void;
  /** Where it leads who is still there. */
  readonly leads?: (answer: unknown) => void;
  /** Something is lost that no button brings back. */
  readonly isGrave?: boolean;
  /** Where it must be done by a command, why; '' where it may be done here. */
  readonly elsewhere?: string;
}

const asking = signal<Asking | undefined>(undefined);

export function askFirst(about: Asking): void {
  asking.value = { ...about, action: here(about.action) };
}

/** Of the shell. */
export function Asked() {
  const about = asking.value;
  const close = () => {
    asking.value = undefined;
  };
  const at = spot.value;
  // Whoever goes back leaves what was asked about.
  useEffect(close, [at]);
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
    // Whoever has turned to something else meanwhile is left there.
    const isLeft = () => asking.peek() !== about;
    try {
      const { action, undo, done } = about;
      const answer = await perform(action);
      about.onDone?.(answer);
      if (!isLeft()) {
        onClose();
        about.leads?.(answer);
      }
      await tellDone(done, { action, answer }, undo);
    } catch (error) {
      if (isLeft()) tell(inWords(error), { isBad: true });
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

/** With the way back, where it is open. */
export async function tellDone(text: string, done: Done, undo: WayBack | undefined): Promise<void> {
  const back = undo && (await openedBy(done, undo));
  tell(text, { undo: back && (() => void takeBack(text, back)) });
}

async function takeBack(text: string, back: Return): Promise<void> {
  try {
    await back();
    tell(uiWords.value.undone);
  } catch (error) {
    tell(inWords(error), { isBad: true });
    const again = againAfter(error, back);
    if (again !== undefined) tell(text, { undo: () => void takeBack(text, again) });
  }
}

/** Why something was refused, and what may be done about it. */
export function inWords(error: unknown): string {
  const say = uiWords.value;
  if (error instanceof PartlyBack)
    return `${say.partlyBack(error.left.length, error.all)} ${inWords(error.cause)}`;
  if (!(error instanceof Refusal)) return String(error);
  if (error.status === NOT_DONE && error.message === '') return say.notDone;
  if (error.message === IN_PLACE) return say.inPlace;
  if (error.why === 'forbidden') return `${say.mayNot} ${error.message}`;
  if (error.why !== 'lost' || error.status !== 0) return error.message;
  return error.message === UNHEARD ? say.unheard : say.unreachable;
}
