/** What nobody is to read over somebody's shoulder: hidden until it is asked for. */
import { useState } from 'preact/hooks';
import { HIDDEN } from '../core/secrets.ts';
import { accessWords } from '../words/access-words.ts';
import { Copyable } from './commands.tsx';

export function Secret({ text }: { readonly text: string }) {
  const say = accessWords.value;
  const [isShown, setShown] = useState(false);
  if (text === HIDDEN) return <span class="aside">{say.hidden}</span>;
  return (
    <span class="secret">
      <Copyable text={text} shown={isShown ? text : '••••••••-••••-••••-••••-••••••••••••'} />
      <button
        type="button"
        aria-label={`${isShown ? say.hide : say.show} ${say.secret}`}
        onClick={() => setShown(!isShown)}
      >
        {isShown ? say.hide : say.show}
      </button>
    </span>
  );
}
