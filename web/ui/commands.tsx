/** The same by a command, to be copied. */
import { useState } from 'preact/hooks';
import type { Action } from '../core/action.ts';
import { type Asked, commandOf, curlOf, LOCAL } from '../core/commands.ts';
import { HIDDEN, hidesSecrets } from '../core/secrets.ts';
import { token } from '../core/token.ts';
import { uiWords } from '../words/ui-words.ts';

interface CommandsProps {
  readonly action: Action;
  /** It is to be run on another machine. */
  readonly isElsewhere?: boolean;
}

/** Whoever looks at the page, where it is. */
export function asker(): Asked {
  return { origin: location.origin, hasToken: token.value !== '' };
}

export function Commands({ action, isElsewhere = false }: CommandsProps) {
  const origin = isElsewhere ? LOCAL : location.origin;
  const command = commandOf(action, origin);
  const curl = curlOf(action, { ...asker(), origin });
  if (curl === undefined) return <p class="aside">{uiWords.value.noPath}</p>;
  return (
    <details class="commands" open={isElsewhere}>
      <summary>{uiWords.value.asCommand}</summary>
      {command !== undefined && <Copyable text={command} />}
      <Copyable text={curl} />
      {hidesSecrets(action) && <p class="aside">{uiWords.value.putIn(HIDDEN)}</p>}
    </details>
  );
}

const SHOWN_MS = 1500;

interface CopyableProps {
  /** Nothing is shown where there is none. */
  readonly text: string | undefined;
  /** In its place, where not everybody is to read it. */
  readonly shown?: string;
}

export function Copyable({ text, shown = text }: CopyableProps) {
  const say = uiWords.value;
  const [isCopied, setCopied] = useState(false);
  if (text === undefined) return null;
  const copy = async () => {
    await writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <div class="copyable">
      <code>{shown}</code>
      <button type="button" onClick={() => void copy()}>
        {isCopied ? say.copied : say.copy}
      </button>
    </div>
  );
}

/** A page without TLS has no clipboard of its own, but on loopback. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
